import { conditionOf, numberAt, textAt } from '../../cluster/fields.js';
import type { KubeObject } from '../../cluster/objects.js';
import type { ContainerTrouble } from '../../cluster/workloads.js';
import type { Finding } from '../finding.js';

/** What a finding about a workload says, without the workload. */
export type Cause = Pick<Finding, 'code' | 'cause' | 'evidence' | 'remedy'>;

/** Why a container of a pod does not run, by its status and the warnings about its pod. */
export function containerCause(pod: KubeObject, trouble: ContainerTrouble, warnings: readonly KubeObject[]): Cause {
  const where = `-n ${pod.metadata.namespace} ${pod.metadata.name}`;
  const events = eventsOf(pod, warnings).filter((text) => /pull|image/i.test(text));
  if (/ImagePull|ErrImage|InvalidImage|RegistryUnavailable/.test(trouble.reason)) {
    return imageCause(trouble, [trouble.message, ...events].join(' | '));
  }
  const evidence = [
    `container ${trouble.container}: ${trouble.reason}${trouble.exitCode === undefined ? '' : `, exit code ${trouble.exitCode}`}, ${trouble.restarts} restarts${trouble.message === '' ? '' : `: ${trouble.message}`}`,
  ];
  if (/^CreateContainerConfigError$/.test(trouble.reason)) {
    return {
      code: 'pod-config',
      cause: 'its container cannot be made from its configuration',
      evidence,
      remedy: `make the Secret, ConfigMap or key that the message names: \`kubectl describe pod ${where}\``,
    };
  }
  if (/exec format error/.test(trouble.message)) {
    return {
      code: 'image-architecture',
      cause: 'the image was built for another processor than the node’s',
      evidence,
      remedy: 'set MCP_IMAGE_PLATFORM to the nodes’ platform (such as linux/amd64), and build again',
    };
  }
  return {
    code: 'pod-crash-loop',
    cause: 'its container ends again and again',
    evidence,
    remedy: `\`kubectl logs ${where} -c ${trouble.container} --previous\``,
  };
}

function imageCause({ image, reason }: ContainerTrouble, text: string): Cause {
  const evidence = [`${image}: ${reason}: ${text}`];
  const causes: readonly (readonly [RegExp, Omit<Cause, 'evidence'>])[] = [
    [
      /no match for platform|no matching manifest/,
      {
        code: 'image-architecture',
        cause: 'the image was built for another processor than the node’s',
        remedy: 'set MCP_IMAGE_PLATFORM to the nodes’ platform (such as linux/amd64), and build again',
      },
    ],
    [
      /doesn't contain any IP SANs/,
      {
        code: 'registry-endpoint-address',
        cause: 'the image is pulled from an address, and the registry’s certificate is for its name',
        remedy: 'set MCP_REGISTRY_ENDPOINT to the public registry host, and run setup',
      },
    ],
    [
      /no basic auth credentials|401 Unauthorized|unauthorized|authorization failed|403 Forbidden/i,
      {
        code: 'pull-secret-stale',
        cause: 'the registry refuses the credentials that the node pulls with',
        remedy: 'run setup, which makes the pull Secrets anew from the present key',
      },
    ],
  ];
  const found = causes.find(([pattern]) => pattern.test(text))?.[1];
  return {
    ...(found ?? {
      code: 'image-pull',
      cause: /not found|manifest unknown/.test(text)
        ? 'the image is not in the registry'
        : 'the node cannot pull the image',
      remedy: 'push the image, or correct its name; when the registry does not answer, see the findings about it',
    }),
    evidence,
  };
}

/** Whether the scheduler has said that no node takes a pod. */
export function isUnscheduled(pod: KubeObject): boolean {
  return conditionOf(pod, 'PodScheduled')?.status === 'False';
}

export function unscheduledCause(pod: KubeObject): Cause {
  return {
    code: 'pod-unschedulable',
    cause: 'no node takes its pod',
    evidence: [conditionOf(pod, 'PodScheduled')?.message ?? ''],
    remedy: `give the nodes what the message names, or free it: \`kubectl describe pod -n ${pod.metadata.namespace} ${pod.metadata.name}\``,
  };
}

/** @param refused the words of `refusal` */
export function refusalCause({ metadata: { namespace } }: KubeObject, refused: string): Cause {
  return {
    code: 'workload-quota',
    cause: /exceeded quota/.test(refused)
      ? 'the namespace’s quota allows no further pod'
      : 'the cluster’s admission refuses its pods',
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

/** The last warnings about probes of some pods. */
export function probeFailures(pods: readonly KubeObject[], warnings: readonly KubeObject[]): string[] {
  return pods.flatMap((pod) => eventsOf(pod, warnings).filter((text) => /probe failed/i.test(text))).slice(-2);
}

function eventsOf(object: KubeObject, warnings: readonly KubeObject[]): string[] {
  return warnings
    .filter((event) => textAt(event, 'involvedObject', 'uid') === object.metadata.uid)
    .map((event) => textAt(event, 'message'));
}
