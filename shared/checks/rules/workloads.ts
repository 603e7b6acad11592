import { at, isTrue, numberAt } from '../../cluster/fields.js';
import type { KubeObject } from '../../cluster/objects.js';
import { rolloutState } from '../../cluster/rollout-state.js';
import { isOver, podsOf, troublesOf } from '../../cluster/workloads.js';
import type { PlatformFacts } from '../../facts/observe-platform.js';
import { platformNamespaces } from '../../platform/resources.js';
import { type Finding, finding, merged } from '../finding.js';
import { containerCause } from './pod-causes.js';
import { probeFailures } from './probe-causes.js';
import { isUnscheduled, refusal, refusalCause, unscheduledCause } from './refusal-causes.js';

const own: readonly string[] = Object.values(platformNamespaces);

/** The platform's workloads that are not rolled out, each with the reason that its pods, events and conditions give. */
export function checkWorkloads(facts: PlatformFacts): Finding[] {
  const waiting = facts.workloads.filter(
    (one) => own.includes(one.metadata.namespace ?? '') && !rolloutState(one).complete && !lacksOnlyNodes(one, facts),
  );
  return [...merged(waiting.map((workload) => why(workload, facts))), ...scaledDown(facts)];
}

/** What somebody has scaled to 0 is as it was wanted, and still away. The one API of the other layout is meant to be. */
function scaledDown({ workloads, seen }: PlatformFacts): Finding[] {
  const away = workloads.filter(
    (one) =>
      own.includes(one.metadata.namespace ?? '') &&
      at(one, 'spec', 'replicas') === 0 &&
      !(seen.layout === 'split' && one.metadata.name === 'mcp-sentinel-api'),
  );
  return away.map(({ kind, metadata: { namespace, name } }) =>
    finding('workload-not-ready', {
      severity: 'warning',
      subject: `${kind} ${namespace}/${name}`,
      cause: 'it is scaled to 0: nothing of it runs',
      evidence: ['spec.replicas is 0'],
      remedy: `\`kubectl scale -n ${namespace} ${kind.toLowerCase()}/${name} --replicas=1\`; setup does so too`,
    }),
  );
}

/** A DaemonSet's pods on nodes that are not Ready are not ready either: the finding about the node says so. */
function lacksOnlyNodes(workload: KubeObject, { nodes }: PlatformFacts): boolean {
  const unavailable = numberAt(workload, 'status', 'numberUnavailable') ?? 0;
  const unready = nodes.filter((node) => !isTrue(node, 'Ready')).length;
  return workload.kind === 'DaemonSet' && unavailable <= unready && unready > 0;
}

function why(workload: KubeObject, facts: PlatformFacts): Finding {
  const subject = `${workload.kind} ${workload.metadata.namespace}/${workload.metadata.name}`;
  const pods = podsOf(workload, facts.pods).filter((pod) => !isOver(pod));
  const troubled = pods.flatMap((pod) => troublesOf(pod).map((trouble) => ({ pod, trouble })));
  const base = { severity: 'error' as const, subject, confidence: 'certain' as const };
  const [first] = troubled;
  if (first !== undefined) return { ...base, ...containerCause(first.pod, first.trouble, facts.warnings) };
  const unscheduled = pods.find(isUnscheduled);
  if (unscheduled !== undefined) return { ...base, ...unscheduledCause(unscheduled) };
  const refused = refusal(workload, pods.length, facts.warnings);
  if (refused !== '') return { ...base, ...refusalCause(workload, refused) };
  return {
    ...base,
    code: 'workload-not-ready',
    cause: 'its rollout is not complete',
    evidence: [rolloutState(workload).why, ...probeFailures(pods, facts.warnings)],
    remedy: `\`kubectl rollout status -n ${workload.metadata.namespace} ${workload.kind.toLowerCase()}/${workload.metadata.name}\`; \`kubectl describe pod -n ${workload.metadata.namespace}\``,
    confidence: 'likely',
  };
}
