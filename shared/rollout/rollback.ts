import { isDeepStrictEqual } from 'node:util';
import { ApiError } from '../cluster/api-error.js';
import { type Cluster, isConflict, isNotFound } from '../cluster/cluster.js';
import { numberAt, textsAt } from '../cluster/fields.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { messageOf } from '../errors.js';
import { platformConfig, platformNamespaces } from '../platform/resources.js';
import { configObject, workloadKinds, workloadObject } from './apply.js';
import type { Previous, PreviousWorkload } from './journal.js';
import { type Expected, newPods, type WorkloadView } from './judge.js';
import { requireKind } from './permissions.js';
import { stateOf } from './plan.js';
import { standstillOf } from './standing.js';
import { managedPart } from './wanted.js';

/** What a rollback has put back, and what it has left since somebody else has written it meanwhile. */
export interface RolledBack {
  restored: string[];
  left: string[];
  /** What could not be put back, and why. */
  failed: string[];
  /** Workloads to wait for. */
  awaited: Expected[];
}

const namespace = platformNamespaces.sentinel;

/**
 * Puts back what a rollout has changed, all at once: configuration, permissions, and the images of every workload. What
 * another writer has changed since is left as it is, and named. Nothing is written that is as it was already.
 */
export async function putBack(
  cluster: Cluster,
  previous: Previous,
  written: { config: boolean; workloads: readonly PreviousWorkload[] },
): Promise<RolledBack> {
  const result: RolledBack = { restored: [], left: [], failed: [], awaited: [] };
  const attempt = async (subject: string, work: () => Promise<boolean>): Promise<void> => {
    try {
      if (await work()) result.restored.push(subject);
    } catch (error) {
      if (isConflict(error) || isNotFound(error)) result.left.push(subject);
      else
        result.failed.push(`${subject}: ${messageOf(error)}${error instanceof ApiError ? ` (${error.detail})` : ''}`);
    }
  };
  await Promise.all([
    attempt(`ConfigMap ${platformConfig.namespace}/${platformConfig.name}`, () =>
      putConfigBack(cluster, previous.config, written.config),
    ),
    ...previous.permissions.map((one) => attempt(`${one.kind} ${one.name}`, () => putPermissionBack(cluster, one))),
    ...previous.workloads.map((one) =>
      attempt(`${one.kind} ${namespace}/${one.name}`, () => putWorkloadBack(cluster, one, written.workloads, result)),
    ),
  ]);
  return result;
}

/** The pods of some workloads that were made since a time, by the cluster's clock. */
export function podsSince(scene: WorkloadView, workloads: readonly Expected[], since: Date): KubeObject[] {
  // Pods tell whole seconds.
  const from = Math.floor(since.getTime() / 1000) * 1000;
  return scene.workloads
    .filter(({ metadata }) => workloads.some(({ uid }) => uid === metadata.uid))
    .flatMap((workload) => newPods(workload, scene))
    .filter(({ metadata }) => Date.parse(metadata.creationTimestamp ?? '') >= from);
}

async function putConfigBack(
  cluster: Cluster,
  before: Readonly<Record<string, string>>,
  isWritten: boolean,
): Promise<boolean> {
  if (!isWritten) return false;
  const found = await cluster.get<KubeObject>(kinds.configMap, platformConfig);
  const [then, now] = [managedPart(before), managedPart(textsAt(found, 'data'))];
  if (isDeepStrictEqual(then, now)) return false;
  // Keys that were not there before are left out, and so taken away: only mcprt owns them.
  await cluster.apply(kinds.configMap, configObject(then));
  return true;
}

async function putPermissionBack(cluster: Cluster, one: Previous['permissions'][number]): Promise<boolean> {
  const kind = requireKind(one);
  const ref = { name: one.name, ...(one.namespace === '' ? {} : { namespace: one.namespace }) };
  if (one.object === null) return cluster.delete(kind, ref);
  await cluster.apply(kind, one.object as unknown as KubeObject, { force: true });
  return true;
}

async function putWorkloadBack(
  cluster: Cluster,
  before: PreviousWorkload,
  written: readonly PreviousWorkload[],
  result: RolledBack,
): Promise<boolean> {
  const kind = workloadKinds[before.kind];
  const live = await cluster.get<KubeObject>(kind, { namespace, name: before.name });
  if (live === undefined) throw new ApiError(404, 'NotFound', 'it is gone', 'put it back');
  const now = stateOf(live, Object.keys(before.images));
  const ours = written.find(({ kind: ofKind, name }) => ofKind === before.kind && name === before.name);
  const isAsBefore = isDeepStrictEqual(now.images, before.images);
  if (ours !== undefined && hasOther(now.images, [before.images, ours.images])) {
    throw new ApiError(409, 'Conflict', 'another writer gave it other images', 'put it back');
  }
  const isWhole = isAsBefore && now.annotation === before.annotation && sameList(now.pullSecrets, before.pullSecrets);
  const after = isWhole ? live : await cluster.apply<KubeObject>(kind, workloadObject(before, live.metadata.uid ?? ''));
  // Somebody has paused it meanwhile, for example: what was there before is written, and waits for them.
  if (standstillOf(after) === undefined) result.awaited.push(expectedOf(after, before));
  return !isWhole;
}

/**
 * Whether a container has an image that is neither the one of before nor ours, or is gone. What an earlier run wrote down
 * and this one did not write is as it was before: it is nobody's change.
 */
function hasOther(now: Readonly<Record<string, string>>, known: readonly Readonly<Record<string, string>>[]): boolean {
  const containers = new Set([now, ...known].flatMap((images) => Object.keys(images)));
  return [...containers].some((container) => {
    const image = now[container];
    return image === undefined || !known.some((images) => images[container] === image);
  });
}

function expectedOf(live: KubeObject, before: PreviousWorkload): Expected {
  return {
    kind: before.kind,
    name: before.name,
    uid: live.metadata.uid ?? '',
    generation: live.metadata.generation ?? 0,
    replicas: numberAt(live, 'spec', 'replicas') ?? 1,
    images: new Map(Object.entries(before.images)),
  };
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one) => b.includes(one));
}
