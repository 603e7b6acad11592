import type { KubeObject } from '../../cluster/objects.js';
import { eventsOf } from './cause.js';

/** The last answer of a probe, as the kubelet tells it. */
export interface ProbeAnswer {
  type: string;
  answer: string;
}

/** How much of an answer a cause has; all of it is evidence. */
const longestAnswer = 120;

/** The last warnings about probes of some pods. */
export function probeFailures(pods: readonly KubeObject[], warnings: readonly KubeObject[]): string[] {
  return pods
    .flatMap((pod) => eventsOf(pod, warnings).filter((text) => /probe (?:failed|errored)/i.test(text)))
    .slice(-2);
}

/** The last answer of a probe of some pods that has failed; undefined when none has. */
export function lastProbe(pods: readonly KubeObject[], warnings: readonly KubeObject[]): ProbeAnswer | undefined {
  const [, type = '', answer = ''] =
    /^(\w+) probe (?:failed|errored[^:]*): ([\s\S]*)/.exec(probeFailures(pods, warnings).at(-1) ?? '') ?? [];
  if (type === '') return undefined;
  const [first = ''] = answer.trim().split('\n');
  return { type, answer: first.length > longestAnswer ? `${first.slice(0, longestAnswer)}…` : first };
}
