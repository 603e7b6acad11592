import { conditionOf, numberAt, textAt } from '../../cluster/fields.js';
import type { KubeObject } from '../../cluster/objects.js';
import type { Cause } from './cause.js';

/** Whether the scheduler has said that no node takes a pod. */
export function isUnscheduled(pod: KubeObject): boolean {
  return conditionOf(pod, 'PodScheduled')?.status === 'False';
}

/** Why no node takes a pod, in the scheduler's words. */
export function unscheduledCause(pod: KubeObject): Cause {
  const { reason = '', message = '' } = conditionOf(pod, 'PodScheduled') ?? {};
  return {
    code: 'pod-unschedulable',
    cause: `no node takes its pod${why(reason, message)}`,
    evidence: [message],
    remedy: `give the nodes what the message names, or free it: \`kubectl describe pod -n ${pod.metadata.namespace} ${pod.metadata.name}\``,
  };
}

function why(reason: string, message: string): string {
  if (reason === 'SchedulingGated') return ': something holds it back by a scheduling gate';
  const [, claim] = /persistentvolumeclaim "([^"]+)" not found/.exec(message) ?? [];
  if (claim !== undefined) return `: claim ${claim} is not there`;
  const [, list = ''] = /nodes are available: ([\s\S]*?)\.?(?: preemption:| no new claims|$)/.exec(message) ?? [];
  const reasons = list
    .split(/, (?=\d+ )/)
    .map((one) => one.replace(/^\d+ (?:node\(s\) )?/, '').replace(/\.\s*$/, ''))
    .filter((one) => one !== '');
  return reasons.length === 0 ? '' : `: ${reasons.join(', ')}`;
}

interface Refusal {
  pattern: RegExp;
  /** @param name what the pattern has captured */
  cause: (name: string) => string;
}

/** What keeps the API server from making a pod, by its words; the first that fits. */
const refusals: readonly Refusal[] = [
  { pattern: /exceeded quota: ([^,\s]+)/, cause: (name) => `the namespace’s quota ${name} allows no further pod` },
  {
    pattern: /violates PodSecurity "([^":]+)/,
    cause: (level) => `Pod Security refuses its pods: the level is ${level}`,
  },
  { pattern: /serviceaccount "([^"]+)" not found/, cause: (name) => `its ServiceAccount ${name} is not there` },
  { pattern: /no PriorityClass with name (\S+) was found/, cause: (name) => `its PriorityClass ${name} is not there` },
  {
    pattern: /(?:maximum|minimum) (\S+) (?:usage|limit|request)|max limit to request ratio/,
    cause: () => 'the namespace’s LimitRange refuses its pods',
  },
  { pattern: /failed calling webhook "([^"]+)"/, cause: (name) => `the admission webhook ${name} does not answer` },
  {
    pattern: /webhook "([^"]+)" denied the request: [\s\S]*(?:signature|attestation|unsigned|not signed)/i,
    cause: (name) => `the admission webhook ${name} refuses its image for its signature`,
  },
  { pattern: /webhook "([^"]+)" denied/, cause: (name) => `the admission webhook ${name} refuses its pods` },
  { pattern: /image policy webhook/, cause: () => 'the cluster’s image policy refuses its image' },
  {
    pattern: /ValidatingAdmissionPolicy '([^']+)'/,
    cause: (name) => `the admission policy ${name} refuses its pods`,
  },
];

/** @param refused the words of `refusal` */
export function refusalCause({ metadata: { namespace } }: KubeObject, refused: string): Cause {
  const found = refusals.find(({ pattern }) => pattern.test(refused));
  const [, name = ''] = found?.pattern.exec(refused) ?? [];
  return {
    code: 'workload-quota',
    cause: found?.cause(name) ?? 'the cluster’s admission refuses its pods',
    evidence: [refused],
    remedy: `\`kubectl describe resourcequota -n ${namespace}\`; \`kubectl get events -n ${namespace}\``,
  };
}

/** Why a controller cannot even make a pod: a Deployment's ReplicaFailure, or its ReplicaSet's events. */
export function refusal(workload: KubeObject, present: number, warnings: readonly KubeObject[]): string {
  const failure = conditionOf(workload, 'ReplicaFailure');
  if (failure?.status === 'True') return failure.message ?? '';
  // Events outlive what they tell: with all its pods there, nothing refuses them any more.
  const wanted = numberAt(workload, 'spec', 'replicas') ?? numberAt(workload, 'status', 'desiredNumberScheduled') ?? 1;
  if (present >= wanted) return '';
  return (
    warnings
      .filter(
        (event) =>
          textAt(event, 'reason') === 'FailedCreate' &&
          event.metadata.namespace === workload.metadata.namespace &&
          textAt(event, 'involvedObject', 'name').startsWith(workload.metadata.name),
      )
      .map((event) => textAt(event, 'message'))
      .at(-1) ?? ''
  );
}
