import { type Finding, finding, merged, ordered } from '../checks/finding.js';
import type { Cause } from '../checks/rules/cause.js';
import { containerCause } from '../checks/rules/pod-causes.js';
import { lastProbe, probeFailures } from '../checks/rules/probe-causes.js';
import { isUnscheduled, refusal, refusalCause, unscheduledCause } from '../checks/rules/refusal-causes.js';
import { firstCause, setUpCause } from '../checks/rules/waiting-causes.js';
import { at, conditionOf, isTrue, numberAt, recordsAt, textAt } from '../cluster/fields.js';
import type { KubeObject } from '../cluster/objects.js';
import { rolloutState } from '../cluster/rollout-state.js';
import { type ContainerTrouble, isOver, podsOf, troublesOf } from '../cluster/workloads.js';
import { lastWriter } from './managers.js';
import { standstillOf } from './standing.js';
import { containersOf } from './targets.js';

/** A workload that is rolled out: what its pods must be like. */
export interface Expected {
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet';
  name: string;
  uid: string;
  /** Its generation after the last write: what is older has not been told of it yet. */
  generation: number;
  /** How many replicas were wanted then: an autoscaler may want more meanwhile. */
  replicas: number;
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
 * given the time in which they often do: a Secret that another program is about to make, a replica that makes room, a registry
 * or a node that restarts. What says nothing for sure may last until the time is up.
 */
export const patience = {
  none: 0,
  refusal: 10_000,
  scheduling: 20_000,
  passing: 45_000,
  node: 60_000,
  late: Number.POSITIVE_INFINITY,
} as const;

/**
 * How far the workloads of a rollout are, and what keeps them (kstatus' rules for the state; the pods, events and
 * conditions for the reason). Pure: the same scene gives the same answer.
 */
export function judge(expected: readonly Expected[], scene: WorkloadView): Progress {
  const parts = expected.map((one) => ({ ...judgeOne(one, scene), isBase: one.kind === 'StatefulSet' }));
  // Whoever talks to a database crashes while that one restarts, and runs once it is back.
  const isBaseAway = parts.some(({ isBase, missing }) => isBase && missing.length > 0);
  const calmed = ({ finding, patience: ms }: Symptom): Symptom => ({
    finding,
    patience: finding.code === 'pod-crash-loop' ? Math.max(ms, patience.passing) : ms,
  });
  return {
    missing: parts.flatMap(({ missing }) => missing),
    symptoms: parts.flatMap(({ symptoms, isBase }) => (isBaseAway && !isBase ? symptoms.map(calmed) : symptoms)),
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
  if (state.complete || isScaledUp(found, expected)) return { missing: [], symptoms: [] };
  const standstill = standstillOf(found, scene.nodes);
  if (standstill !== undefined) {
    // Somebody stopped it meanwhile. A restart comes when they let it go on; an image that is to be tried is waited for.
    if (expected.images.size === 0) return { missing: [], symptoms: [] };
    const stopping = overwritten(subject, `somebody stopped it meanwhile: ${standstill.why}`, state.why);
    return {
      missing: [`${subject}: ${standstill.why}`],
      symptoms: [{ finding: { ...stopping, remedy: standstill.remedy }, patience: patience.passing }],
    };
  }
  return { missing: [`${subject}: ${state.why}`], symptoms: symptomsOf(found, expected, scene) };
}

/**
 * Whether as many new pods run as were wanted, and no old one is left, while an autoscaler wants more: whether these find
 * room says nothing about what was rolled out.
 */
function isScaledUp(workload: KubeObject, { kind, replicas }: Expected): boolean {
  const [wanted, observed, present, updated, available] = [
    numberAt(workload, 'spec', 'replicas'),
    ...['observedGeneration', 'replicas', 'updatedReplicas', 'availableReplicas'].map((field) =>
      numberAt(workload, 'status', field),
    ),
  ].map((count) => count ?? 0) as [number, number, number, number, number];
  const isSeen = observed === (workload.metadata.generation ?? 0);
  return (
    kind === 'Deployment' && isSeen && wanted > replicas && present === updated && available >= replicas && replicas > 0
  );
}

function symptomsOf(workload: KubeObject, expected: Expected, scene: WorkloadView): Symptom[] {
  // Until the controller has seen the change, the newest ReplicaSet is the old one.
  if ((numberAt(workload, 'status', 'observedGeneration') ?? 0) < (workload.metadata.generation ?? 0)) return [];
  const subject = subjectOf(expected);
  const all = newPods(workload, scene);
  const pods = all.filter((pod) => !isOver(pod));
  const told = (cause: Cause, ms: number): Symptom => ({
    finding: { severity: 'error', subject, confidence: 'certain', ...cause },
    patience: ms,
  });
  const symptoms = pods.flatMap((pod): Symptom[] => {
    const node = scene.nodes.find(({ metadata }) => metadata.name === textAt(pod, 'spec', 'nodeName'));
    if (node !== undefined && !isTrue(node, 'Ready')) {
      return [{ finding: nodeFinding(subject, node), patience: patience.node }];
    }
    if (isUnscheduled(pod)) return [told(unscheduledCause(pod), roomPatience(pod, scene))];
    const troubles = troublesOf(pod).map((trouble) => {
      const cause = containerCause(pod, trouble, scene.warnings);
      return told(cause, patienceWith(cause, trouble));
    });
    const setUp = troubles.length > 0 ? undefined : unmade(pod, scene);
    return setUp === undefined ? troubles : [setUp].map(({ cause, ms }) => told(cause, ms));
  });
  const ended = endedCause(all, scene.warnings);
  // The next pod is being made as often as not; that is nothing that could not pass.
  const isOnlyLate = symptoms.every(({ patience: ms }) => ms === patience.late);
  if (ended !== undefined && isOnlyLate) symptoms.push(told(ended, patience.passing));
  const refused = refusal(workload, pods.length, warningsAbout(workload, scene)) || replicaSetRefusal(workload, scene);
  if (refused !== '') symptoms.push(told(refusalCause(workload, refused), refusalPatience(refused, scene)));
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
function patienceWith(
  { code, cause, evidence }: Cause,
  { reason, message, restarts, ended }: ContainerTrouble,
): number {
  if (code === 'image-pull') {
    return /not found|manifest unknown|InvalidImageName|name invalid|ErrImageNeverPull|signature/i.test(
      [reason, cause, ...evidence].join(' '),
    )
      ? patience.none
      : patience.passing;
  }
  // What guards the registry may be rolled out itself, and the pull Secret was written a moment ago.
  if (code === 'pull-secret-stale') return patience.refusal;
  if (code === 'pod-config') {
    // The Secret may be on its way: other programs make Secrets too.
    if (reason === 'CreateContainerConfigError') return patience.scheduling;
    return /no such file|not found|permission denied/.test(message) ? patience.none : patience.passing;
  }
  // A container that is started again may find what it lacked; one that has ended three times has failed.
  if (code === 'pod-crash-loop') {
    const isHopeless = reason === 'CrashLoopBackOff' && (restarts >= hopelessRestarts || ended === 'OOMKilled');
    return isHopeless ? patience.none : patience.passing;
  }
  return patience.none;
}

/** Restarts after which a container that ends again has ended three times. */
const hopelessRestarts = 2;

/** A pod that goes makes room, and a victim of preemption has to go first. */
function roomPatience(pod: KubeObject, scene: WorkloadView): number {
  return isRoomComing(scene) || textAt(pod, 'status', 'nominatedNodeName') !== ''
    ? patience.passing
    : patience.scheduling;
}

function refusalPatience(refused: string, scene: WorkloadView): number {
  return isRoomComing(scene) || /failed calling webhook/.test(refused) ? patience.passing : patience.refusal;
}

function isRoomComing({ pods }: WorkloadView): boolean {
  return pods.some(({ metadata }) => metadata.deletionTimestamp !== undefined);
}

/** What keeps a node from making a pod's volumes or network. Warnings outlive it: where the pod says that it is made, they count no more. */
function unmade(pod: KubeObject, scene: WorkloadView): { cause: Cause; ms: number } | undefined {
  const made = conditionOf(pod, 'PodReadyToStartContainers')?.status;
  const hasBegun = recordsAt(pod, 'status', 'containerStatuses').some(
    (one) => at(one, 'state', 'waiting') === undefined,
  );
  const cause = made === 'True' || hasBegun ? undefined : setUpCause(pod, scene.warnings);
  // Clusters before 1.29 do not tell: a slow pull looks the same.
  return cause === undefined ? undefined : { cause, ms: made === 'False' ? patience.passing : patience.late };
}

/** How many pods of one rollout may end before it is the rollout that ends them. */
const mostEnded = 3;

/** What a node says of a pod that it ends itself. */
const evicted = /^(?:Evicted|Preempting|Preempted|ExceededGracePeriod)$/;

/**
 * Pods that their nodes have ended, one after another, so that none comes to run. A pod whose program ends well when it is evicted
 * has succeeded by its status, without a reason: that it was evicted stands in its events only.
 */
function endedCause(pods: readonly KubeObject[], warnings: readonly KubeObject[]): Cause | undefined {
  const ended = pods.flatMap((pod) => {
    const phase = textAt(pod, 'status', 'phase');
    const event = warnings.find(
      (one) => textAt(one, 'involvedObject', 'uid') === pod.metadata.uid && evicted.test(textAt(one, 'reason')),
    );
    if (pod.metadata.deletionTimestamp !== undefined) return [];
    if (phase !== 'Failed' && (phase !== 'Succeeded' || event === undefined)) return [];
    const reason = textAt(pod, 'status', 'reason') || textAt(event, 'reason') || 'Failed';
    return [{ pod, reason, message: textAt(pod, 'status', 'message') || textAt(event, 'message') }];
  });
  const last = ended.at(-1);
  if (last === undefined || ended.length < mostEnded) return undefined;
  const { namespace, name } = last.pod.metadata;
  return {
    code: 'pod-ended',
    cause: `its pods are ended by their node, one after another: ${last.reason}`,
    evidence: ended.map(({ pod, reason, message }) => `pod ${pod.metadata.name}: ${reason}: ${message}`),
    remedy: `free what the message names, or lower what its pods use: \`kubectl describe pod -n ${namespace} ${name}\``,
  };
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

/** Why a workload is late although nothing is plainly wrong: what its pods wait for, a probe that fails, or how far it is. */
function lateFinding(expected: Expected, why: string, scene: WorkloadView): Finding {
  const subject = subjectOf(expected);
  const workload = scene.workloads.find(({ metadata }) => metadata.uid === expected.uid);
  const pods = (workload === undefined ? [] : newPods(workload, scene)).filter((pod) => !isOver(pod));
  const [first] = pods.flatMap((pod) => unmade(pod, scene)?.cause ?? firstCause(pod, scene.warnings) ?? []);
  if (first !== undefined) return finding(first.code, { subject, ...first });
  const unready = pods.flatMap((pod) =>
    recordsAt(pod, 'status', 'containerStatuses')
      .filter((status) => status.ready !== true)
      .map((status) => `pod ${pod.metadata.name}: container ${textAt(status, 'name')} ${unreadyText(status)}`),
  );
  const where = `-n ${workload?.metadata.namespace ?? 'mcp-sentinel'}`;
  const remedy = `\`kubectl describe pod ${where}\`; \`kubectl logs ${where} ${expected.kind.toLowerCase()}/${expected.name}\``;
  const probe = lastProbe(pods, scene.warnings);
  return probe === undefined
    ? finding('workload-not-ready', {
        subject,
        cause: 'its rollout is not complete',
        evidence: [why, ...unready],
        remedy,
        confidence: 'likely',
      })
    : finding('probe-failing', {
        subject,
        cause: `its new pod runs, and its ${probe.type.toLowerCase()} probe fails: ${probe.answer}`,
        evidence: [...new Set(probeFailures(pods, scene.warnings)), ...unready],
        remedy,
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
