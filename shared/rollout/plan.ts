import { createHash } from 'node:crypto';
import diffObjects from 'microdiff';
import { type Finding, finding } from '../checks/finding.js';
import { at, numberAt, recordsAt, textAt } from '../cluster/fields.js';
import type { KubeObject } from '../cluster/objects.js';
import { nameOf } from '../cluster/objects.js';
import { platformConfig, platformNamespaces, pullSecretName } from '../platform/resources.js';
import { keysRead } from './config-keys.js';
import type { Previous, PreviousWorkload } from './journal.js';
import type { Expected } from './judge.js';
import { ownFields } from './managers.js';
import type { RolloutObservation } from './observe.js';
import { lackingRule } from './policies.js';
import { keptByPartition, type Standstill, standstillOf } from './standing.js';
import { containersOf, imageOf, type RolloutTarget } from './targets.js';
import { managedPart } from './wanted.js';

/** Where an image comes from: given by the user, found in the registry, just built, or still to be built. */
export type Origin = 'given' | 'found' | 'built' | 'to build';

/** The image that a target is to run. */
export interface WantedImage {
  target: RolloutTarget;
  origin: Origin;
  /** `host/repository`, as the nodes pull it. */
  repository: string;
  /** Empty for an image that was given without one. */
  tag: string;
  /** Undefined as long as it has not been built. */
  digest: string | undefined;
  /** SHA-256 over all that it is built from, in hex; empty for one that was given. */
  recipe: string;
}

/** An object with permissions as the server would make it of a manifest, beside the one that is there. */
export interface PermissionChange {
  wanted: KubeObject;
  live: KubeObject | undefined;
  /** What applying it would give (a dry run). */
  after: KubeObject;
}

/** What a rollout is to bring about. */
export interface Wanted {
  images: readonly WantedImage[];
  config: Readonly<Record<string, string>>;
  /** Text of the pull Secret; undefined when the one that is there is right. */
  pullSecret: string | undefined;
  permissions: readonly PermissionChange[];
  /** Whether the teams' NetworkPolicies are looked after, and the namespace that they must let in. */
  policies: { traefikNamespace: string } | undefined;
}

/** One thing that a rollout changes, as people read it. No value of a Secret is in it. */
export interface Change {
  subject: string;
  field: string;
  from: string;
  to: string;
  reason: string;
}

/** What is written to one workload, in one request. */
export interface WorkloadWrite extends PreviousWorkload {
  uid: string;
}

export interface RolloutPlan {
  changes: Change[];
  /** SHA-256 over what there is and what is wanted: the same as long as neither has moved. */
  digest: string;
  pullSecret: string | undefined;
  /** The keys that change, and those that are written with them; both empty when none changes. */
  config: { changed: string[]; written: Readonly<Record<string, string>> };
  permissions: PermissionChange[];
  /** What reads the new configuration, or gets an image, and does not show it by itself: warnings. */
  skipped: Finding[];
  writes: WorkloadWrite[];
  /** All that must be rolled out at the end, also what was written by a run that was cut off. */
  awaited: Expected[];
  policies: { lacking: KubeObject[]; traefikNamespace: string };
  /** What is put back when it fails. */
  previous: Previous;
}

/** The annotation of a pod template that restarts a workload when the configuration that it reads has changed. */
export const configAnnotation = 'mcprt.dev/config';

/**
 * Decides what a rollout changes: pure, from what was seen and what is wanted. Nothing is changed that is right already.
 *
 * What a run that was cut off wrote down counts as the state before, so that the run after it restarts what that one had
 * still to restart, and puts back what was there before both.
 */
export function planRollout(seen: RolloutObservation, wanted: Wanted): RolloutPlan {
  const before = seen.journal?.previous;
  const config = changedKeys(wanted.config, seen.config);
  const changed = Object.keys(config);
  const configAfter = { ...seen.config, ...config };
  const configBefore = before?.config ?? seen.config;
  const newKeys = Object.keys(changedKeys(configAfter, configBefore));
  const stamp = createHash('sha256').update(canonical(configAfter)).digest('hex').slice(0, 16);
  const planned = workloadsOf(seen).map((workload) => {
    const images = wanted.images.filter(
      ({ target }) => workload.kind === 'Deployment' && target.deployment === workload.metadata.name,
    );
    const read = keysRead(workload, platformConfig.name, newKeys);
    return planWorkload(workload, images, seen.nodes, read.length === 0 ? undefined : { stamp, keys: read });
  });
  const lacking = wanted.policies === undefined ? [] : lackingRule(seen.policies, wanted.policies.traefikNamespace);
  const permissions = wanted.permissions.filter((one) => permissionLines(one).length > 0);
  const changes = [
    ...(wanted.pullSecret === undefined ? [] : [pullSecretChange(seen)]),
    ...permissions.map(permissionChange),
    ...Object.entries(config).map(([key, to]) => configChange(key, seen.config[key] ?? '', to)),
    ...planned.flatMap((one) => one.changes),
    ...(lacking.length === 0 ? [] : [policyChange(lacking, wanted.policies?.traefikNamespace ?? '')]),
  ];
  return {
    changes,
    digest: digestOf(seen, wanted, changes),
    pullSecret: wanted.pullSecret,
    config: { changed, written: changed.length === 0 ? {} : managedPart(configAfter) },
    permissions,
    skipped: planned.flatMap(({ skipped }) => skipped),
    writes: planned.flatMap(({ write, changes: lines }) => (lines.length === 0 ? [] : [write])),
    awaited: planned.flatMap(({ awaited }) => (awaited === undefined ? [] : [awaited])),
    policies: { lacking, traefikNamespace: wanted.policies?.traefikNamespace ?? '' },
    previous: {
      config: seen.config,
      workloads: planned.flatMap(({ previous, changes: lines }) => (lines.length === 0 ? [] : [previous])),
      permissions: permissions.map(previousPermission),
    },
  };
}

/** The reference that a Deployment gets: by digest, so that a tag that is used again cannot leave old code running. */
export function referenceOf({ repository, tag, digest }: WantedImage): string {
  const named = tag === '' ? repository : `${repository}:${tag}`;
  return digest === undefined ? named : `${named}@${digest}`;
}

/** Whether a reference names an image by the digest, whatever its tag says. */
export function isSameImage(reference: string, { repository, digest }: WantedImage): boolean {
  const [name = '', found] = reference.split('@');
  return digest !== undefined && found === digest && name.replace(/:[^:/]*$/, '') === repository;
}

function workloadsOf({ deployments, statefulSets, daemonSets }: RolloutObservation): KubeObject[] {
  return [...deployments, ...statefulSets, ...daemonSets];
}

interface PlannedWorkload {
  changes: Change[];
  write: WorkloadWrite;
  previous: PreviousWorkload;
  awaited: Expected | undefined;
  skipped: Finding[];
}

/** A restart for keys of the configuration that a workload reads at its start only. */
interface Restart {
  /** The same for the same configuration. */
  stamp: string;
  keys: readonly string[];
}

function planWorkload(
  workload: KubeObject,
  images: readonly WantedImage[],
  nodes: readonly KubeObject[],
  wanted: Restart | undefined,
): PlannedWorkload {
  const subject = nameOf(workload);
  const standstill = standstillOf(workload, nodes);
  // To write to it would restart nothing, and to wait for it would undo what everything else has gained.
  const restart = standstill === undefined ? wanted : undefined;
  const stamp = restart?.stamp;
  const previous = stateOf(
    workload,
    images.map(({ target }) => target.container),
  );
  const targets = images.map((image) => {
    const live = imageOf(workload, image.target.container);
    return { image, live, isSame: isSameImage(live, image) };
  });
  const pullSecrets = recordsAt(workload, 'spec', 'template', 'spec', 'imagePullSecrets').map((one) =>
    textAt(one, 'name'),
  );
  const needsPullSecret = images.length > 0 && !pullSecrets.includes(pullSecretName);
  const annotation = stamp === undefined || stamp === previous.annotation ? previous.annotation : stamp;
  const changes: Change[] = [
    ...targets
      .filter(({ isSame }) => !isSame)
      .map(({ image, live }) => ({
        subject,
        field: `image of ${image.target.container}`,
        from: live,
        to: `${referenceOf(image)}${image.digest === undefined ? ' (to be built)' : ''}`,
        reason: reasons[image.origin],
      })),
    ...(needsPullSecret
      ? [
          {
            subject,
            field: 'pull Secrets',
            from: pullSecrets.join(', '),
            to: [...pullSecrets, pullSecretName].join(', '),
            reason: 'the nodes need it to pull the image',
          },
        ]
      : []),
    // A new image restarts it as well.
    ...(annotation === previous.annotation || targets.some(({ isSame }) => !isSame)
      ? []
      : [
          {
            subject,
            field: 'restart',
            from: '',
            to: 'restarted',
            reason: restartReason(workload, restart?.keys ?? []),
          },
        ]),
  ];
  const written = Object.fromEntries(
    targets.map(({ image, live, isSame }) => [image.target.container, isSame ? live : referenceOf(image)]),
  );
  const write = {
    ...previous,
    uid: workload.metadata.uid ?? '',
    images: { ...previous.images, ...written },
    pullSecrets: needsPullSecret ? [...previous.pullSecrets, pullSecretName] : previous.pullSecrets,
    annotation,
  };
  const isAwaited = images.length > 0 || stamp !== undefined;
  // Of what is scaled to 0 the next pods read what is new anyway; of an image nobody knows whether it runs.
  const isTold = images.length > 0 || (wanted !== undefined && at(workload, 'spec', 'replicas') !== 0);
  return {
    changes,
    write,
    previous,
    skipped: standstill !== undefined && isTold ? [skippedFinding(subject, standstill, wanted?.keys ?? [])] : [],
    awaited: isAwaited
      ? {
          kind: previous.kind,
          name: previous.name,
          uid: write.uid,
          generation: workload.metadata.generation ?? 0,
          replicas: numberAt(workload, 'spec', 'replicas') ?? 1,
          images: new Map(Object.entries(written)),
        }
      : undefined,
  };
}

/** How many keys a reason names. */
const namedKeys = 3;

function keyNames(keys: readonly string[]): string {
  const more = keys.length > namedKeys ? ` and ${keys.length - namedKeys} more` : '';
  return `${keys.slice(0, namedKeys).join(', ')}${more}`;
}

function restartReason(workload: KubeObject, keys: readonly string[]): string {
  const kept = keptByPartition(workload);
  return [
    `it reads ${keyNames(keys)} at its start only`,
    ...(workload.kind === 'StatefulSet' ? ['it may be a database: what talks to it waits meanwhile'] : []),
    ...(kept > 0 ? [`its partition keeps ${kept} of its pods as they are`] : []),
  ].join('; ');
}

function skippedFinding(subject: string, { why, remedy }: Standstill, keys: readonly string[]): Finding {
  return finding('workload-skipped', {
    severity: 'warning',
    subject,
    cause: keys.length > 0 ? `not restarted: ${why}` : `its new image is untried: ${why}`,
    evidence: keys.length > 0 ? [`it reads ${keyNames(keys)} of ${platformConfig.name}`] : [],
    remedy,
  });
}

const reasons: Record<Origin, string> = {
  given: 'given by digest',
  found: 'built and rolled out from this commit before',
  built: 'built from this commit',
  'to build': 'to be built from this commit',
};

/**
 * What a rollout changes of a workload, as it is now: the images of some containers and of those that mcprt has applied
 * before, the pull Secrets that it has applied, and its annotation.
 */
export function stateOf(workload: KubeObject, containers: readonly string[]): PreviousWorkload {
  const own = ownFields(workload);
  const named = containersOf(workload).filter(({ name }) => containers.includes(name) || own.containers.includes(name));
  return {
    kind: workload.kind as PreviousWorkload['kind'],
    name: workload.metadata.name,
    images: Object.fromEntries(named.map(({ name, image }) => [name, image])),
    initContainers: named.filter(({ isInit }) => isInit).map(({ name }) => name),
    pullSecrets: own.pullSecrets,
    annotation: annotationsOf(workload)[configAnnotation] ?? null,
  };
}

function annotationsOf(workload: KubeObject): Record<string, string> {
  const spec = workload.spec as { template?: { metadata?: { annotations?: Record<string, string> } } } | undefined;
  return spec?.template?.metadata?.annotations ?? {};
}

function changedKeys(
  wanted: Readonly<Record<string, string>>,
  live: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => live[key] !== value));
}

function configChange(key: string, from: string, to: string): Change {
  return {
    subject: `ConfigMap ${platformConfig.namespace}/${platformConfig.name}`,
    field: key,
    from,
    to,
    reason: from === '' ? 'it was missing' : 'the profile says so',
  };
}

/** Which secret was there and which comes is nobody's business; that they differ is. */
function pullSecretChange({ pullSecret }: RolloutObservation): Change {
  return {
    subject: `Secret ${platformNamespaces.sentinel}/${pullSecretName}`,
    field: 'password of the registry',
    from: pullSecret === '' ? '' : '(another)',
    to: '(the present one)',
    reason: 'it is not the platform’s present UI_API_KEY, so that pulls would fail',
  };
}

function policyChange(lacking: readonly KubeObject[], traefikNamespace: string): Change {
  return {
    subject: `NetworkPolicy ${lacking[0]?.metadata.name} of ${lacking.length} team${lacking.length === 1 ? '' : 's'}`,
    field: 'ingress',
    from: '',
    to: `a rule that lets ${traefikNamespace} in`,
    reason: 'Traefik could not reach the teams’ servers',
  };
}

function permissionChange(change: PermissionChange): Change {
  return {
    subject: nameOf(change.wanted),
    field: permissionLines(change).join('\n'),
    from: change.live === undefined ? '' : 'as it is',
    to: 'as the manifest has it',
    reason: change.live === undefined ? 'it is not there' : 'the manifest differs',
  };
}

/** Where applying a manifest would change an object, path by path; empty when nowhere. Permissions are no secrets. */
export function permissionLines({ live, after }: PermissionChange): string[] {
  if (live === undefined) return ['made'];
  return diffObjects(significant(live), significant(after)).map(({ type, path, ...change }) => {
    const where = path.join('.');
    const value = (one: unknown): string => JSON.stringify(one) ?? '';
    if (type === 'CREATE') return `${where}: + ${value('value' in change ? change.value : '')}`;
    if (type === 'REMOVE') return `${where}: − ${value('oldValue' in change ? change.oldValue : '')}`;
    return `${where}: ${value('oldValue' in change ? change.oldValue : '')} → ${value('value' in change ? change.value : '')}`;
  });
}

/** An object without what the server keeps on it. */
export function significant(object: KubeObject): Record<string, unknown> {
  const { metadata, status: _status, ...rest } = object;
  const { name, namespace, labels, annotations } = metadata;
  return {
    ...rest,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
}

function previousPermission({ wanted, live }: PermissionChange): Previous['permissions'][number] {
  return {
    kind: wanted.kind,
    namespace: wanted.metadata.namespace ?? '',
    name: wanted.metadata.name,
    object: live === undefined ? null : significant(live),
  };
}

/**
 * The digest of a plan holds what is rolled out: an image that is there by its digest, and one that is built by all that
 * it is built from. It stays the same while images are built, so that an approval of the plan is one of what is built.
 */
function digestOf({ fingerprint }: RolloutObservation, wanted: Wanted, changes: readonly Change[]): string {
  const imageOfPlan = (image: WantedImage): string =>
    image.origin === 'given' || image.origin === 'found'
      ? referenceOf(image)
      : `${image.repository}:${image.tag} ${image.recipe}`;
  const parts = {
    fingerprint,
    images: wanted.images.map((image) => [image.target.deployment, image.target.container, imageOfPlan(image)]),
    pullSecret: wanted.pullSecret === undefined ? '' : createHash('sha256').update(wanted.pullSecret).digest('hex'),
    changes: changes.map(({ subject, field, from, to }) =>
      field.startsWith('image of ') ? [subject, field, from] : [subject, field, from, to],
    ),
  };
  return createHash('sha256').update(canonical(parts)).digest('hex');
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
