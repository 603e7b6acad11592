import { at, textAt } from '../cluster/fields.js';
import { McprtError } from '../errors.js';
import { isSpelling } from '../spelling.js';
import { reconcilerOf } from './managers.js';
import type { RolloutObservation } from './observe.js';
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
    next: 'check the source out with git in an earlier step (actions/checkout), or give images by digest in `images`; then make a new plan, and have it approved',
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
 * Refuses images for another processor than the nodes', before anything is changed.
 *
 * @param platforms `os/architecture` of each image, by its reference; empty where an image does not tell
 * @throws McprtError `rollout-architecture`
 */
export function guardArchitecture(
  { nodes }: RolloutObservation,
  platforms: ReadonlyMap<string, readonly string[]>,
): void {
  const architectures = [
    ...new Set(
      nodes
        .filter(({ spec }) => at({ spec }, 'spec', 'unschedulable') !== true)
        .map((node) => textAt(node, 'status', 'nodeInfo', 'architecture'))
        .filter((one) => one !== ''),
    ),
  ];
  const wrong = [...platforms].filter(
    ([, offered]) =>
      offered.length > 0 && architectures.some((one) => !offered.some((each) => each.split('/')[1] === one)),
  );
  if (wrong.length === 0) return;
  throw new McprtError('rollout-architecture', {
    what: 'images were built for another processor than the nodes’',
    why: [
      `nodes: ${architectures.join(', ')}`,
      ...wrong.map(([image, offered]) => `${image}: ${offered.join(', ')}`),
    ].join('\n'),
    next: 'set MCP_IMAGE_PLATFORM in the profile to the nodes’ platform, such as linux/amd64, and build again',
  });
}
