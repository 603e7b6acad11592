import { type Finding, finding, merged, ordered } from '../checks/finding.js';
import {
  containerCause,
  isUnscheduled,
  probeFailures,
  refusal,
  refusalCause,
  unscheduledCause,
} from '../checks/rules/pod-causes.js';
import { conditionOf, isTrue, numberAt, recordsAt, textAt } from '../cluster/fields.js';
import type { KubeObject } from '../cluster/objects.js';
import { rolloutState } from '../cluster/rollout-state.js';
import { podsOf, troublesOf } from '../cluster/workloads.js';
import { lastWriter } from './managers.js';
import { containersOf } from './targets.js';

/** A workload that is rolled out: what its pods must be like. */
export interface Expected {
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet';
  name: string;
  uid: string;
  /** Its generation after the last write: what is older has not been told of it yet. */
  generation: number;
  /** Image by container, as it was written; empty for a workload that is only restarted. */
  images: ReadonlyMap<string, string>;
}

/** What is looked at while a rollout goes on; all of one namespace, but the nodes. */
export interface WorkloadView {
  workloads: readonly KubeObject[];
  replicaSets: readonly KubeObject[];
  pods: readonly KubeObject[];
  warnings: readonly KubeObject[];
  nodes: readonly KubeObject[];
}

/** Something that keeps a rollout from its end, and how long it may last, in ms, before the rollout has failed. */
export interface Symptom {
  finding: Finding;
  patience: number;
}

/** How far a rollout is. `missing` is empty when every workload is rolled out. */
export interface Progress {
  missing: string[];
  symptoms: Symptom[];
}

/**
 * How long each class of trouble may last, in ms. What cannot get better by itself may not last at all; the others are
 * given the time in which they often do: a registry that restarts, a node that comes back, a replica that makes room.
 */
export const patience = { none: 0, refusal: 10_000, scheduling: 20_000, node: 20_000, passing: 45_000 } as const;

/**
 * How far the workloads of a rollout are, and what keeps them (kstatus' rules for the state; the pods, events and
 * conditions for the reason). Pure: the same scene gives the same answer.
 */
export function judge(expected: readonly Expected[], scene: WorkloadView): Progress {
  const parts = expected.map((one) => judgeOne(one, scene));
  return {
    missing: parts.flatMap(({ missing }) => missing),
    symptoms: parts.flatMap(({ symptoms }) => symptoms),
  };
}

/**
 * The reasons why nothing came of it when the time is up: every symptom, however short, or at least how far it is.
 */
export function reasonsAtTheEnd(expected: readonly Expected[], scene: WorkloadView): Finding[] {
  return expected.flatMap((one) => {
    const { missing, symptoms } = judgeOne(one, scene);
    if (symptoms.length > 0) return symptoms.map(({ finding }) => finding);
    return missing.map((why) => lateFinding(one, why, scene));
  });
}

/** Findings as a failed rollout tells them: one for each cause, root causes first. */
export function rootCauses(findings: readonly Finding[]): Finding[] {
  return ordered(merged(findings));
}

/** The pods of a workload's newest template. */
export function newPods(
  workload: KubeObject,
  { replicaSets, pods }: Pick<WorkloadView, 'replicaSets' | 'pods'>,
): KubeObject[] {
  if (workload.kind === 'StatefulSet') {
    const revision = textAt(workload, 'status', 'updateRevision');
    return podsOf(workload, pods).filter(
      ({ metadata }) => metadata.labels?.['controller-revision-hash'] === revision || revision === '',
    );
  }
  if (workload.kind === 'DaemonSet') return podsOf(workload, pods);
  const newest = newestReplicaSet(workload, replicaSets);
  return newest === undefined ? [] : pods.filter((pod) => isOwnedBy(pod, newest));
}

const revisionOf = ({ metadata }: KubeObject): string =>
  metadata.annotations?.['deployment.kubernetes.io/revision'] ?? '';

function newestReplicaSet(deployment: KubeObject, replicaSets: readonly KubeObject[]): KubeObject | undefined {
  return replicaSets.find((one) => isOwnedBy(one, deployment) && revisionOf(one) === revisionOf(deployment));
}

function isOwnedBy({ metadata }: KubeObject, owner: KubeObject): boolean {
  return metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid) ?? false;
}

function judgeOne(expected: Expected, scene: WorkloadView): Progress {
  const subject = subjectOf(expected);
  const found = scene.workloads.find(({ kind, metadata }) => kind === expected.kind && metadata.name === expected.name);
  if (found === undefined || found.metadata.uid !== expected.uid) {
    return stopped(overwritten(subject, `it was deleted${found === undefined ? '' : ' and made again'} meanwhile`, ''));
  }
  if ((found.metadata.generation ?? 0) < expected.generation) {
    return { missing: [`${subject}: it was written a moment ago`], symptoms: [] };
  }
  const live = new Map(containersOf(found).map(({ name, image }) => [name, image]));
  const other = [...expected.images].find(([container, image]) => live.get(container) !== image);
  if (other !== undefined) {
    const writer = lastWriter(found, other[0]);
    return stopped(
      overwritten(
        subject,
        `${writer === undefined ? 'somebody' : `\`${writer.manager}\``} gave it another image meanwhile`,
        `container ${other[0]}: ${live.get(other[0]) ?? 'gone'} instead of ${other[1]}${writer?.time ? `, written ${writer.time}` : ''}`,
      ),
    );
  }
  const state = rolloutState(found);
  if (state.complete) return { missing: [], symptoms: [] };
  return { missing: [`${subject}: ${state.why}`], symptoms: symptomsOf(found, expected, scene) };
}

function symptomsOf(workload: KubeObject, expected: Expected, scene: WorkloadView): Symptom[] {
  // Until the controller has seen the change, the newest ReplicaSet is the old one.
  if ((numberAt(workload, 'status', 'observedGeneration') ?? 0) < (workload.metadata.generation ?? 0)) return [];
  const base = { severity: 'error' as const, subject: subjectOf(expected), confidence: 'certain' as const };
  const pods = newPods(workload, scene).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const symptoms: Symptom[] = [];
  for (const pod of pods) {
    const node = scene.nodes.find(({ metadata }) => metadata.name === textAt(pod, 'spec', 'nodeName'));
    if (node !== undefined && !isTrue(node, 'Ready')) {
      symptoms.push({ finding: nodeFinding(base.subject, node), patience: patience.node });
      continue;
    }
    for (const trouble of troublesOf(pod)) {
      const cause = containerCause(pod, trouble, scene.warnings);
      symptoms.push({
        finding: { ...base, ...cause },
        patience: patienceWith(cause.code, trouble.reason, cause.evidence.join(' ')),
      });
    }
    if (isUnscheduled(pod))
      symptoms.push({ finding: { ...base, ...unscheduledCause(pod) }, patience: patience.scheduling });
  }
  const refused = refusal(workload, pods.length, warningsAbout(workload, scene)) || replicaSetRefusal(workload, scene);
  if (refused !== '')
    symptoms.push({ finding: { ...base, ...refusalCause(workload, refused) }, patience: patience.refusal });
  if (symptoms.length === 0 && conditionOf(workload, 'Progressing')?.reason === 'ProgressDeadlineExceeded') {
    symptoms.push({
      finding: lateFinding(expected, conditionOf(workload, 'Progressing')?.message ?? '', scene),
      // The condition of the rollout before stands until this one has made its first step.
      patience: patience.refusal,
    });
  }
  return symptoms;
}

/** What a container waits for passes by itself, or it does not. */
function patienceWith(code: Finding['code'], reason: string, evidence: string): number {
  if (code === 'image-pull') {
    return /not found|manifest unknown|InvalidImageName|name invalid/.test(`${reason} ${evidence}`)
      ? patience.none
      : patience.passing;
  }
  // A container that ended once is started again at once; that alone is not yet a failure.
  if (code === 'pod-crash-loop') return reason === 'CrashLoopBackOff' ? patience.none : patience.passing;
  return patience.none;
}

/** Warnings about a workload and its newest ReplicaSet: those of earlier ones outlive what they tell. */
function warningsAbout(workload: KubeObject, { warnings, replicaSets }: WorkloadView): KubeObject[] {
  const uids = [workload.metadata.uid, newestReplicaSet(workload, replicaSets)?.metadata.uid];
  return warnings.filter((event) => uids.includes(textAt(event, 'involvedObject', 'uid')));
}

function replicaSetRefusal(workload: KubeObject, { replicaSets }: WorkloadView): string {
  const newest = newestReplicaSet(workload, replicaSets);
  const failure = conditionOf(newest, 'ReplicaFailure');
  return failure?.status === 'True' ? (failure.message ?? '') : '';
}

function nodeFinding(subject: string, node: KubeObject): Finding {
  const ready = conditionOf(node, 'Ready');
  return finding('node-not-ready', {
    subject,
    cause: `its new pod is on node ${node.metadata.name}, which is not Ready`,
    evidence: [`Node ${node.metadata.name}: Ready=${ready?.status ?? 'unknown'}: ${ready?.message ?? ''}`],
    remedy: `look at k3s on it: \`systemctl status k3s\` (or k3s-agent); \`kubectl describe node ${node.metadata.name}\``,
  });
}

function overwritten(subject: string, cause: string, evidence: string): Finding {
  return finding('rollout-overwritten', {
    subject,
    cause,
    evidence: evidence === '' ? [] : [evidence],
    remedy:
      'find out who writes to it (`kubectl get deployment -n mcp-sentinel -o yaml --show-managed-fields`), and let only one of them roll it out',
  });
}

/** Why a workload is late although nothing is plainly wrong: a probe that fails, or how far it is. */
function lateFinding(expected: Expected, why: string, scene: WorkloadView): Finding {
  const subject = subjectOf(expected);
  const workload = scene.workloads.find(({ metadata }) => metadata.uid === expected.uid);
  const pods = workload === undefined ? [] : newPods(workload, scene);
  const failures = probeFailures(pods, scene.warnings);
  const unready = pods.flatMap((pod) =>
    recordsAt(pod, 'status', 'containerStatuses')
      .filter((status) => status.ready !== true)
      .map((status) => `pod ${pod.metadata.name}: container ${textAt(status, 'name')} ${unreadyText(status)}`),
  );
  const where = `-n ${workload?.metadata.namespace ?? 'mcp-sentinel'}`;
  const remedy = `\`kubectl describe pod ${where}\`; \`kubectl logs ${where} ${expected.kind.toLowerCase()}/${expected.name}\``;
  return failures.length > 0
    ? finding('probe-failing', {
        subject,
        cause: 'its new pod runs, and its probe says that it is not ready',
        evidence: [...new Set(failures), ...unready],
        remedy,
      })
    : finding('workload-not-ready', {
        subject,
        cause: 'its rollout is not complete',
        evidence: [why, ...unready],
        remedy,
        confidence: 'likely',
      });
}

/** A container that is still being made (an image that is pulled, a volume that is missing) has no trouble of its own. */
function unreadyText(status: Record<string, unknown>): string {
  const reason = textAt(status, 'state', 'waiting', 'reason') || textAt(status, 'state', 'terminated', 'reason');
  return reason === '' ? 'runs and is not ready' : `does not run: ${reason}`;
}

function stopped(finding: Finding): Progress {
  return { missing: [`${finding.subject}: ${finding.cause}`], symptoms: [{ finding, patience: patience.none }] };
}

function subjectOf({ kind, name }: Expected): string {
  return `${kind} mcp-sentinel/${name}`;
}
