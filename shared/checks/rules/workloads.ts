import { conditionOf, isTrue, numberAt, textAt } from '../../cluster/fields.js';
import type { KubeObject } from '../../cluster/objects.js';
import { type ContainerTrouble, podsOf, rolloutState, troublesOf } from '../../cluster/workloads.js';
import { platformNamespaces } from '../../platform/resources.js';
import { type Finding, merged } from '../finding.js';
import type { World } from '../world.js';

const own: readonly string[] = Object.values(platformNamespaces);

/** The platform's workloads that are not rolled out, each with the reason that its pods, events and conditions give. */
export function checkWorkloads(world: World): Finding[] {
  const waiting = world.workloads.filter(
    (one) => own.includes(one.metadata.namespace ?? '') && !rolloutState(one).complete && !lacksOnlyNodes(one, world),
  );
  return merged(waiting.map((workload) => why(workload, world)));
}

/** A DaemonSet's pods on nodes that are not Ready are not ready either: the finding about the node says so. */
function lacksOnlyNodes(workload: KubeObject, { nodes }: World): boolean {
  const unavailable = numberAt(workload, 'status', 'numberUnavailable') ?? 0;
  const unready = nodes.filter((node) => !isTrue(node, 'Ready')).length;
  return workload.kind === 'DaemonSet' && unavailable <= unready && unready > 0;
}

function why(workload: KubeObject, world: World): Finding {
  const subject = `${workload.kind} ${workload.metadata.namespace}/${workload.metadata.name}`;
  const pods = podsOf(workload, world.pods);
  const troubled = pods.flatMap((pod) => troublesOf(pod).map((trouble) => ({ pod, trouble })));
  const base = { severity: 'error' as const, subject, confidence: 'certain' as const };
  const [first] = troubled;
  if (first !== undefined) return { ...base, ...containerCause(first.pod, first.trouble, world) };
  const unscheduled = pods.find((pod) => conditionOf(pod, 'PodScheduled')?.status === 'False');
  if (unscheduled !== undefined) {
    return {
      ...base,
      code: 'pod-unschedulable',
      cause: 'no node takes its pod',
      evidence: [conditionOf(unscheduled, 'PodScheduled')?.message ?? ''],
      remedy: `give the nodes what the message names, or free it: \`kubectl describe pod -n ${unscheduled.metadata.namespace} ${unscheduled.metadata.name}\``,
    };
  }
  const refused = refusal(workload, pods.length, world);
  if (refused !== '') {
    return {
      ...base,
      code: 'workload-quota',
      cause: /exceeded quota/.test(refused)
        ? 'the namespace’s quota allows no further pod'
        : 'the cluster’s admission refuses its pods',
      evidence: [refused],
      remedy: `kubectl describe resourcequota -n ${workload.metadata.namespace}; kubectl get events -n ${workload.metadata.namespace}`,
    };
  }
  return {
    ...base,
    code: 'workload-not-ready',
    cause: 'its rollout is not complete',
    evidence: [rolloutState(workload).why, ...probes(pods, world)],
    remedy: `kubectl rollout status -n ${workload.metadata.namespace} ${workload.kind.toLowerCase()}/${workload.metadata.name}; kubectl describe pod -n ${workload.metadata.namespace}`,
    confidence: 'likely',
  };
}

type Cause = Pick<Finding, 'code' | 'cause' | 'evidence' | 'remedy'>;

function containerCause(pod: KubeObject, trouble: ContainerTrouble, world: World): Cause {
  const where = `-n ${pod.metadata.namespace} ${pod.metadata.name}`;
  const events = eventsOf(pod, world).filter((text) => /pull|image/i.test(text));
  if (/ImagePull|ErrImage|InvalidImage|RegistryUnavailable/.test(trouble.reason)) {
    return imageCause(trouble, [trouble.message, ...events].join(' | '));
  }
  const evidence = [
    `container ${trouble.container}: ${trouble.reason}${trouble.exitCode === undefined ? '' : `, exit code ${trouble.exitCode}`}, ${trouble.restarts} restarts${trouble.message === '' ? '' : `: ${trouble.message}`}`,
  ];
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
    remedy: `kubectl logs ${where} -c ${trouble.container} --previous`,
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

/** Why a controller cannot even make a pod: a Deployment's ReplicaFailure, or its ReplicaSet's events. */
function refusal(workload: KubeObject, present: number, world: World): string {
  const failure = conditionOf(workload, 'ReplicaFailure');
  if (failure?.status === 'True') return failure.message ?? '';
  // Events outlive what they tell: with all its pods there, nothing refuses them any more.
  const wanted = numberAt(workload, 'spec', 'replicas') ?? numberAt(workload, 'status', 'desiredNumberScheduled') ?? 1;
  if (present >= wanted) return '';
  return (
    world.warnings
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

function probes(pods: readonly KubeObject[], world: World): string[] {
  return pods.flatMap((pod) => eventsOf(pod, world).filter((text) => /probe failed/i.test(text))).slice(-2);
}

function eventsOf(object: KubeObject, { warnings }: World): string[] {
  return warnings
    .filter((event) => textAt(event, 'involvedObject', 'uid') === object.metadata.uid)
    .map((event) => textAt(event, 'message'));
}
