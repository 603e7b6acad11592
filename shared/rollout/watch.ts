import type { Finding } from '../checks/finding.js';
import { withCauseOfLog } from '../checks/rules/pod-causes.js';
import type { Cluster } from '../cluster/cluster.js';
import { textAt } from '../cluster/fields.js';
import { type Mirror, openMirror } from '../cluster/informer.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { hasEnded } from '../cluster/workloads.js';
import { platformNamespaces } from '../platform/resources.js';
import { type Expected, judge, type Progress, reasonsAtTheEnd, rootCauses, type WorkloadView } from './judge.js';

const namespace = platformNamespaces.sentinel;

type Part = 'deployments' | 'statefulSets' | 'daemonSets' | 'replicaSets' | 'pods' | 'warnings' | 'nodes';

/** What goes on in mcp-sentinel, kept up to date. */
export interface WorkloadWatch {
  scene(): WorkloadView;
  mirror: Mirror<Part>;
  /** Ends when every watch has. */
  close(): Promise<void>;
}

/** Follows everything that tells how a rollout goes: seven lists and seven watches, however many workloads there are. */
export async function openWorkloadWatch(cluster: Cluster, signal: AbortSignal): Promise<WorkloadWatch> {
  const mirror = await openMirror<Part>(
    cluster,
    {
      deployments: { kind: kinds.deployment, namespace },
      statefulSets: { kind: kinds.statefulSet, namespace },
      daemonSets: { kind: kinds.daemonSet, namespace },
      replicaSets: { kind: kinds.replicaSet, namespace },
      pods: { kind: kinds.pod, namespace },
      warnings: { kind: kinds.event, namespace, fieldSelector: 'type=Warning', optional: true },
      nodes: { kind: kinds.node, optional: true },
    },
    signal,
  );
  const scene = (): WorkloadView => {
    const { deployments, statefulSets, daemonSets, ...rest } = mirror.objects();
    return { ...rest, workloads: [...deployments, ...statefulSets, ...daemonSets] };
  };
  return { scene, mirror, close: () => mirror.close() };
}

/** How a wait for a rollout ended. */
export type Outcome = { done: true } | { done: false; findings: Finding[] };

export interface WaitOptions {
  /** In ms. */
  deadline: number;
  /** When the workloads were written, by the cluster's clock: what was said before is about something else. */
  since: Date;
  progress: (line: string) => void;
}

/**
 * A scene without the warnings from before a time, and without pods that were over by then: a ReplicaSet that is used again
 * still has those of its last failure.
 */
export function recent(scene: WorkloadView, since: Date): WorkloadView {
  // Events tell whole seconds.
  const from = Math.floor(since.getTime() / 1000) * 1000;
  const lastSeen = (event: KubeObject): number =>
    Date.parse(
      textAt(event, 'series', 'lastObservedTime') || textAt(event, 'lastTimestamp') || textAt(event, 'eventTime'),
    );
  return {
    ...scene,
    warnings: scene.warnings.filter((event) => !(lastSeen(event) < from)),
    pods: scene.pods.filter((pod) => !(hasEnded(pod) && Date.parse(pod.metadata.creationTimestamp ?? '') < from)),
  };
}

/** How many of those that are waited for are named. */
const named = 3;

function waitingText(missing: readonly string[], all: number): string {
  const more = missing.length > named ? `; and ${missing.length - named} more` : '';
  return `${all - missing.length} of ${all} rolled out; ${missing.slice(0, named).join('; ')}${more}`;
}

/** How often progress is told, in ms. */
const tellEvery = 3_000;

/**
 * Waits until every workload is rolled out; ends early when something has lasted longer than it can without having
 * failed for good.
 *
 * @throws the signal's reason
 */
export async function untilRolledOut(
  stage: WorkloadWatch,
  expected: readonly Expected[],
  { deadline, since: begun, progress }: WaitOptions,
): Promise<Outcome> {
  const since = new Map<string, number>();
  let told = { text: '', at: Number.NEGATIVE_INFINITY };
  const outcome = await stage.mirror.until((): Outcome | undefined => {
    const { missing, symptoms } = judge(expected, recent(stage.scene(), begun));
    if (missing.length === 0) return { done: true };
    const now = performance.now();
    const text = waitingText(missing, expected.length);
    if (text !== told.text && now - told.at > tellEvery) {
      progress(`  ${text}`);
      told = { text, at: now };
    }
    const lasting = overdue(symptoms, since, now);
    return lasting.length === 0 ? undefined : { done: false, findings: rootCauses(lasting) };
  }, deadline);
  return outcome ?? { done: false, findings: rootCauses(reasonsAtTheEnd(expected, recent(stage.scene(), begun))) };
}

/**
 * The symptoms that have lasted too long.
 *
 * @param since when each was seen first, by subject and code; kept up to date here, so that one that has passed begins anew
 */
export function overdue(symptoms: Progress['symptoms'], since: Map<string, number>, now: number): Finding[] {
  const keys = new Set(symptoms.map(({ finding }) => keyOf(finding)));
  for (const key of since.keys()) if (!keys.has(key)) since.delete(key);
  return symptoms.flatMap(({ finding, patience }) => {
    const first = since.get(keyOf(finding)) ?? now;
    since.set(keyOf(finding), first);
    return now - first >= patience ? [finding] : [];
  });
}

function keyOf({ subject, code }: Finding): string {
  return `${subject} ${code}`;
}

/** How many of a crashed container's last lines are shown. */
const lastLines = 12;
/** In ms: a node that does not answer must not hold the rollback up. */
const logsWithin = 4_000;

/**
 * Findings with the last lines of a container that keeps ending: they say why, more often than not.
 *
 * @param hide takes the secrets out of a line
 */
export async function withLogs(
  cluster: Cluster,
  findings: readonly Finding[],
  { pods }: Pick<WorkloadView, 'pods'>,
  hide: (text: string) => string,
): Promise<Finding[]> {
  return Promise.all(
    findings.map(async (finding) => {
      const names = [...finding.remedy.matchAll(/-n (\S+) (\S+) -c (\S+)/g)][0];
      if (names === undefined && finding.code !== 'probe-failing') return finding;
      const pod = names?.[2] ?? /pod ([a-z0-9][-a-z0-9.]*): container/.exec(finding.evidence.join('\n'))?.[1];
      const found = pods.find(({ metadata }) => metadata.name === pod);
      if (found === undefined) return finding;
      const container = names?.[3]?.replace(/`$/, '') ?? textAt(found, 'spec', 'containers', 0, 'name');
      const previous = finding.code === 'pod-crash-loop';
      const options = { container, lines: lastLines, signal: AbortSignal.timeout(logsWithin) };
      const read = (before: boolean): Promise<string> =>
        cluster.logs({ namespace, name: found.metadata.name }, { ...options, previous: before });
      // Right after it was started again there may be no log of the run before; and none at all of a node that is gone.
      const text = await read(previous).catch(() => read(false).catch(() => ''));
      const lines = text.split('\n').filter((line) => line.trim() !== '');
      if (lines.length === 0) return finding;
      const evidence = [...finding.evidence, ...lines.map((line) => hide(`| ${line}`))];
      return { ...withCauseOfLog(finding, lines), evidence };
    }),
  );
}
