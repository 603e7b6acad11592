import { numberAt, textAt } from '../cluster/fields.js';
import { type KubeObject, nameOf } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { isSpelling } from '../spelling.js';
import { reconcilerOf } from './managers.js';
import type { RolloutObservation } from './observe.js';
import { nodesFor } from './placement.js';
import type { RolloutPlan, WantedImage } from './plan.js';

/**
 * Refuses a plan that is not the one that was approved.
 *
 * @param expected digest of the approved plan; empty when none was
 * @throws McprtError `rollout-plan-moved`
 */
export function guardPlan({ digest, changes }: RolloutPlan, expected: string): void {
  if (expected === '' || isSpelling(expected, digest)) return;
  throw new McprtError('rollout-plan-moved', {
    what: 'what would be changed is not what was approved',
    why: [
      `approved: plan ${expected}`,
      `now: plan ${digest}`,
      ...changes.map(({ subject, field, from, to }) => `${subject}: ${field}: ${from || '–'} → ${to}`),
    ].join('\n'),
    next: 'the cluster, the profile or the commit has moved since: make a new plan, and have it approved',
  });
}

/**
 * Refuses to build, for a plan that was approved, what no plan can hold: a source of which nobody knows the commit.
 *
 * @throws McprtError `rollout-unbound`
 */
export function guardSource(images: readonly WantedImage[], commit: string): void {
  const unbound = images.filter(({ origin }) => origin === 'to build');
  if (commit !== '' || unbound.length === 0) return;
  throw new McprtError('rollout-unbound', {
    what: 'what would be built is not what was approved, as far as anybody can tell',
    why: `the source is no git checkout, so that a plan holds no commit of ${unbound.map(({ repository }) => repository).join(', ')}`,
    next: 'check out the source with git (in a job: in an earlier step, by actions/checkout), or give images by digest in `images`; then make a new plan, and have it approved',
  });
}

/**
 * Refuses to write images that another program would put back at its next sync.
 *
 * @throws McprtError `rollout-reconciler`
 */
export function guardReconcilers(
  { deployments }: RolloutObservation,
  { writes }: RolloutPlan,
  isAllowed: boolean,
): void {
  if (isAllowed) return;
  const found = writes.flatMap(({ name, images }) => {
    const workload = deployments.find(({ metadata }) => metadata.name === name);
    return workload === undefined
      ? []
      : Object.keys(images).flatMap((container) => {
          const writer = reconcilerOf(workload, container);
          return writer === undefined
            ? []
            : [`${name}/${container}: \`${writer.manager}\`${writer.time === '' ? '' : ` since ${writer.time}`}`];
        });
  });
  if (found.length === 0) return;
  throw new McprtError('rollout-reconciler', {
    what: 'another program looks after these images, and would put its own back',
    why: found.join('\n'),
    next: 'change the images where that program takes them from, or take the Deployments out of its care; `allow: reconciler` rolls out all the same',
  });
}

/**
 * Refuses workloads that could not be done in time, however well everything goes: each pod has to be Ready for longer than
 * the rollout waits.
 *
 * @param timeout in ms
 * @throws McprtError `rollout-window`
 */
export function guardWindow(
  { deployments, statefulSets, daemonSets }: RolloutObservation,
  { writes }: RolloutPlan,
  timeout: number,
): void {
  const slow = [...deployments, ...statefulSets, ...daemonSets].flatMap((workload) => {
    const seconds = numberAt(workload, 'spec', 'minReadySeconds') ?? 0;
    const isWritten = writes.some(({ uid }) => uid === workload.metadata.uid);
    return isWritten && seconds * 1000 >= timeout ? [{ name: nameOf(workload), seconds }] : [];
  });
  if (slow.length === 0) return;
  throw new McprtError('rollout-window', {
    what: `${slow[0]?.name} cannot be rolled out within ${timeout / 1000} s`,
    why: slow.map(({ name, seconds }) => `${name}: minReadySeconds is ${seconds}`).join('\n'),
    next: 'raise `rollout-timeout` above it, or lower minReadySeconds; nothing was changed',
  });
}

/**
 * Refuses images for another processor than that of a node which may get their pods, before anything is changed.
 *
 * @param platforms `os/architecture` of each image, by its repository and digest; empty where an image does not tell
 * @throws McprtError `rollout-architecture`
 */
export function guardArchitecture(
  { nodes, deployments }: RolloutObservation,
  images: readonly WantedImage[],
  platforms: ReadonlyMap<string, readonly string[]>,
): void {
  const wrong = images.flatMap(({ target, repository, digest }) => {
    const reference = `${repository}@${digest}`;
    const offered = (platforms.get(reference) ?? []).map((one) => one.split('/')[1]);
    const workload = deployments.find(({ metadata }) => metadata.name === target.deployment);
    if (workload === undefined || offered.length === 0) return [];
    const unfit = nodesFor(workload, nodes).filter((node) => {
      const own = textAt(node, 'status', 'nodeInfo', 'architecture');
      return own !== '' && !offered.includes(own);
    });
    return unfit.length === 0 ? [] : [{ reference, offered, unfit }];
  });
  if (wrong.length === 0) return;
  const told = (node: KubeObject): string =>
    `${node.metadata.name} (${textAt(node, 'status', 'nodeInfo', 'architecture')})`;
  throw new McprtError('rollout-architecture', {
    what: 'images were built for another processor than that of nodes which may get their pods',
    why: wrong
      .map(
        ({ reference, offered, unfit }) => `${reference}: ${offered.join(', ')}; not for ${unfit.map(told).join(', ')}`,
      )
      .join('\n'),
    next: 'set MCP_IMAGE_PLATFORM in the profile to the nodes’ platform, such as linux/amd64, and build again; or keep the pods from the other nodes by `nodeSelector`',
  });
}
