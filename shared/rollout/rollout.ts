import { blocking, type Finding } from '../checks/finding.js';
import type { Cluster } from '../cluster/cluster.js';
import { nowOf } from '../cluster/cluster.js';
import { McprtError, messageOf } from '../errors.js';
import { requireInstalled } from '../facts/installation.js';
import { requireFree } from '../facts/lock.js';
import { type Timed, timedInto } from '../phases.js';
import { askEndpoints, type EndpointState, endpointsOf } from '../platform/endpoints.js';
import type { ReachOptions } from '../platform/way.js';
import type { OperationPorts } from '../ports.js';
import type { Hosts, Values } from '../profile/values.js';
import { holderOf, type RunContext } from '../run-context.js';
import { applyPlan } from './apply.js';
import { guardArchitecture, guardPlan, guardReconcilers, guardSource, guardWindow } from './guard.js';
import type { ImageSource } from './images.js';
import { beginJournal, endJournal, type Journal, requireOurs } from './journal.js';
import type { Expected } from './judge.js';
import { observeRollout, type RolloutObservation } from './observe.js';
import { parseManifest, previewPermissions } from './permissions.js';
import { planRollout, type RolloutPlan, type Wanted, type WantedImage } from './plan.js';
import { addRules } from './policies.js';
import { phaseNames, type RolloutRecord } from './record.js';
import { podsSince, putBack } from './rollback.js';
import { findTargets, type GivenImage, type KnownLayout, permissionManifests, type RolloutTarget } from './targets.js';
import { endpointFindings, otherImages, runningImages, settledEndpoints } from './verify.js';
import { registryUser, wantedConfig, wantedPullSecret } from './wanted.js';
import { openWorkloadWatch, untilRolledOut, type WorkloadWatch, withLogs } from './watch.js';

export interface RolloutOptions {
  run: RunContext;
  hosts: Hosts;
  /** What the profile says. */
  profile: Values;
  layout: KnownLayout | 'auto';
  targets: readonly RolloutTarget[];
  images: readonly GivenImage[];
  /** `auto` for those of the layout. */
  permissions: 'auto' | readonly string[];
  policies: boolean;
  /** Digest of the plan that was approved; empty for none. */
  expectedPlan: string;
  rollback: boolean;
  /** Allows images over a program that would put its own back. */
  overReconcilers: boolean;
  reach: ReachOptions;
  /** How long the workloads may take, in ms. */
  rolloutTimeout: number;
  /** How long the whole operation may take, in ms: so long the lock is held. */
  timeout: number;
  /** Looks at no Secret: a plan for whoever may not see any. */
  withoutSecrets: boolean;
  dryRun: boolean;
}

export interface RolloutPorts extends OperationPorts {
  /** Reads a file below the source's root. @throws McprtError `rollout-manifest` */
  readSource(path: string): Promise<string>;
  /** Where images come from, once it is known what is there. */
  imageSource(seen: RolloutObservation): Promise<ImageSource>;
  /** Takes the secrets out of text that a container has printed. */
  hide(text: string): string;
  /** Told right before the first write. */
  onFirstWrite(): void;
}

/**
 * Rolls out: observe, plan, build and push, write, wait, verify; what failed is put back. Safe to be killed anywhere
 * and run again: the journal keeps what was there before.
 *
 * @throws McprtError `rollout-failed`, `rollout-rollback`, and of the parts
 */
export async function rollOut(
  cluster: Cluster,
  ports: RolloutPorts,
  options: RolloutOptions,
  record: RolloutRecord,
): Promise<void> {
  const timed = timedInto(record.phases);
  const run = holderOf(options.run);
  const seen = await timed('look', () =>
    observeRollout(cluster, { run, mask: ports.mask, withoutSecrets: options.withoutSecrets }),
  );
  record.fingerprint = seen.fingerprint;
  if (seen.journal !== undefined) {
    requireOurs(cluster, seen.journal, run);
    record.isResumed = true;
    ports.progress('a rollout was cut off: this one continues from what it wrote down');
  }
  const { layout, targets } = findTargets(seen.deployments, options);
  record.layout = layout;
  const source = await ports.imageSource(seen);
  try {
    record.commit = source.commit;
    const [found, before] = await Promise.all([
      timed('images', () => source.find(targets, layout)),
      askEndpoints(endpointsOf(layout, options.hosts), options.reach, ports.signal),
    ]);
    record.images = found;
    record.endpoints = before;
    const wantedOf = (now: RolloutObservation): Promise<Wanted> =>
      wantedFor(cluster, ports, options, { seen: now, layout, images: found });
    const first = planRollout(seen, await timed('plan', () => wantedOf(seen)));
    record.plan = first;
    record.findings = first.skipped;
    for (const { subject, cause } of first.skipped) ports.warn(`${subject}: ${cause}`);
    guardWindow(seen, first, options.rolloutTimeout);
    guardReconcilers(seen, first, options.overReconcilers);
    guardPlan(first, options.expectedPlan);
    if (options.expectedPlan !== '') guardSource(found, source.commit);
    if (options.dryRun) {
      for (const { subject, field, from, to } of first.changes)
        ports.progress(`${subject}: ${field}: ${from || '–'} → ${to}`);
      return;
    }
    const isBuilt = found.some(({ digest }) => digest === undefined);
    const images = isBuilt ? await timed('build and push', () => source.build(found)) : found;
    record.images = images;
    guardArchitecture(seen, images, source.platforms());
    // A build takes minutes, and the cluster goes on meanwhile.
    const now = isBuilt
      ? await timed('look again', () =>
          observeRollout(cluster, { run, mask: ports.mask, withoutSecrets: options.withoutSecrets }),
        )
      : seen;
    const wanted = isBuilt ? await wantedOf(now) : undefined;
    if (wanted !== undefined) guardPlan(planRollout(now, wanted), options.expectedPlan);
    const plan = wanted === undefined ? first : planRollout(now, { ...wanted, images });
    record.plan = plan;
    record.findings = plan.skipped;
    await change({ cluster, ports, options, record, timed, source, before, run }, now, plan);
  } finally {
    await source.close();
  }
}

interface Work {
  cluster: Cluster;
  ports: RolloutPorts;
  options: RolloutOptions;
  record: RolloutRecord;
  timed: Timed;
  source: ImageSource;
  before: readonly EndpointState[];
  run: string;
}

async function wantedFor(
  cluster: Cluster,
  ports: RolloutPorts,
  options: RolloutOptions,
  { seen, layout, images }: { seen: RolloutObservation; layout: string; images: readonly WantedImage[] },
): Promise<Wanted> {
  const config = wantedConfig(options.profile, options.hosts, seen.config);
  const pullHost = config.MCP_REGISTRY_ENDPOINT ?? seen.config.MCP_REGISTRY_ENDPOINT ?? options.hosts.registry;
  const pullSecret = options.withoutSecrets
    ? undefined
    : wantedPullSecret(seen.pullSecret, pullHost, seen.registryPassword);
  if (pullSecret !== undefined) ports.mask(Buffer.from(`${registryUser}:${seen.registryPassword}`).toString('base64'));
  const paths =
    options.permissions === 'auto'
      ? layout === 'mono' || layout === 'split'
        ? permissionManifests[layout]
        : []
      : options.permissions;
  const objects = await Promise.all(paths.map(async (path) => parseManifest(await ports.readSource(path), path)));
  return {
    images,
    config,
    pullSecret,
    permissions: await previewPermissions(cluster, objects.flat()),
    policies: options.policies
      ? {
          traefikNamespace:
            config.PLATFORM_TRAEFIK_NAMESPACE ?? seen.config.PLATFORM_TRAEFIK_NAMESPACE ?? 'kube-system',
        }
      : undefined,
  };
}

/** Whether a plan writes anything that has to be put back when it fails. */
function isRiskless({ pullSecret, config, permissions, writes }: RolloutPlan): boolean {
  return pullSecret === undefined && config.changed.length === 0 && permissions.length === 0 && writes.length === 0;
}

async function change(work: Work, seen: RolloutObservation, plan: RolloutPlan): Promise<void> {
  const { cluster, ports, options, record, timed, run } = work;
  const quiet = isRiskless(plan) && seen.journal === undefined;
  ports.signal.throwIfAborted();
  const stage = await timed('watch', () => openWorkloadWatch(cluster, ports.signal));
  try {
    let journal: Journal | undefined;
    let awaited = plan.awaited;
    const since = nowOf(cluster);
    try {
      if (!quiet) {
        ports.onFirstWrite();
        const now = nowOf(cluster).getTime();
        const begun = await beginJournal(cluster, {
          run,
          expires: new Date(now + options.timeout + 120_000),
          previous: plan.previous,
        });
        await requireTurn(cluster, seen, run);
        journal = begun;
        ports.progress(`writing ${plan.changes.length} change${plan.changes.length === 1 ? '' : 's'}`);
        awaited = await timed('write', () => applyPlan(cluster, plan, ports.signal));
      }
      await timed('roll out', () => awaitRollout(work, stage, awaited, since));
      await timed('verify', () => verify(work, stage));
    } catch (error) {
      if (journal === undefined) throw error;
      throw await undo(work, stage, { journal, plan, error });
    }
    if (journal !== undefined) await endJournal(cluster);
    const { lacking, traefikNamespace } = plan.policies;
    if (lacking.length > 0) {
      ports.progress(`adding a rule to the NetworkPolicies of ${lacking.length} teams`);
      record.policiesPatched = await timed('policies', () => addRules(cluster, lacking, traefikNamespace, ports));
    }
  } finally {
    await stage.close();
  }
}

/**
 * Looks once more, with the lock in hand, whether a restore, wipe or setup has begun meanwhile: they look for this lock with
 * theirs, so that of two that begin at once one sees the other. Nothing is written yet.
 */
async function requireTurn(cluster: Cluster, { journal }: RolloutObservation, run: string): Promise<void> {
  try {
    await Promise.all([requireFree(cluster, run), requireInstalled(cluster)]);
  } catch (error) {
    // What a rollout that was cut off has written down is still to be put back.
    if (journal === undefined) await endJournal(cluster);
    throw error;
  }
}

async function awaitRollout(
  { cluster, ports, options, record }: Work,
  stage: WorkloadWatch,
  awaited: readonly Expected[],
  since: Date,
): Promise<void> {
  const outcome = await untilRolledOut(stage, awaited, {
    deadline: options.rolloutTimeout,
    since,
    progress: ports.progress,
  });
  if (outcome.done) return;
  const findings = await withLogs(cluster, outcome.findings, stage.scene(), ports.hide);
  record.findings = [...findings, ...record.findings];
  throw failure(findings);
}

async function verify({ ports, options, record, source, before }: Work, stage: WorkloadWatch): Promise<void> {
  // The nodes tell what they run a moment after it runs.
  record.running = runningImages(record.images, stage.scene());
  const other = otherImages(record.images, record.running, source.children());
  record.endpoints = await settledEndpoints(
    endpointsOf(record.layout, options.hosts),
    before,
    options.reach,
    ports.signal,
  );
  record.findings = [...other, ...endpointFindings(before, record.endpoints), ...record.findings];
  const errors = blocking(record.findings);
  if (errors.length > 0) throw failure(errors);
}

function failure(findings: readonly Finding[]): McprtError {
  const [first] = findings;
  return new McprtError('rollout-failed', {
    what: first === undefined ? 'the rollout did not come to its end' : `${first.subject}: ${first.cause}`,
    why: findings.map(({ subject, cause, evidence }) => `${subject}: ${cause}: ${evidence.join('; ')}`).join('\n'),
    next: first?.remedy ?? 'look at the pods of mcp-sentinel',
  });
}

/** How long putting back may take after a cancelled job's signal, and otherwise, in ms. */
const undoing = { cancelled: 4_000, shortest: 60_000 };

/** Puts back what was written, waits until it runs, and gives the error that the rollout ends with. */
async function undo(
  { cluster, ports, options, record, timed, before }: Work,
  stage: WorkloadWatch,
  { journal, plan, error }: { journal: Journal; plan: RolloutPlan; error: unknown },
): Promise<unknown> {
  if (!options.rollback) {
    ports.warn(
      'rollback is off: the cluster stays as the rollout left it, and the next run knows what was there before',
    );
    return error;
  }
  const isCancelled = ports.signal.aborted;
  ports.progress(`${isCancelled ? 'cancelled' : 'failed'}: rolling back to what was there before`);
  const since = nowOf(cluster);
  const begun = performance.now();
  const result = await timed(phaseNames.putBack, () =>
    putBack(cluster, journal.previous, {
      config: plan.config.changed.length > 0 || record.isResumed,
      workloads: plan.writes,
    }),
  );
  record.rolledBack = result;
  record.rollbackCost = { seconds: (performance.now() - begun) / 1000, podsStarted: undefined };
  if (result.failed.length > 0) {
    return new McprtError('rollout-rollback', {
      what: 'the rollout failed, and not everything could be rolled back',
      why: `${messageOf(error)}\n${result.failed.join('\n')}`,
      next: 'run it again: it knows what was there before. By hand: `kubectl rollout undo -n mcp-sentinel deployment/NAME`',
      cause: error,
    });
  }
  const signal = isCancelled
    ? AbortSignal.timeout(undoing.cancelled)
    : AbortSignal.timeout(Math.max(options.rolloutTimeout, undoing.shortest));
  const own = isCancelled ? await openWorkloadWatch(cluster, signal).catch(() => undefined) : stage;
  const outcome = await timed(phaseNames.seeBack, async () =>
    own === undefined
      ? undefined
      : untilRolledOut(own, result.awaited, {
          deadline: isCancelled ? undoing.cancelled : Math.max(options.rolloutTimeout, undoing.shortest),
          since,
          progress: ports.progress,
        }).catch(() => undefined),
  );
  record.rollbackCost = {
    seconds: (performance.now() - begun) / 1000,
    podsStarted: own === undefined ? undefined : podsSince(own.scene(), result.awaited, since).length,
  };
  if (own !== stage) await own?.close();
  record.isRollbackVerified = outcome?.done === true;
  record.endpoints = isCancelled
    ? []
    : await settledEndpoints(endpointsOf(record.layout, options.hosts), before, options.reach, ports.signal);
  if (record.isRollbackVerified || isCancelled) {
    if (record.isRollbackVerified) await endJournal(cluster);
    return error;
  }
  const findings = outcome !== undefined && !outcome.done ? outcome.findings : [];
  record.findings = [...record.findings, ...findings];
  return new McprtError('rollout-rollback', {
    what: 'the rollout failed, and what was there before does not run either',
    why: [
      messageOf(error),
      ...findings.map(({ subject, cause, evidence }) => `${subject}: ${cause}: ${evidence.join('; ')}`),
    ].join('\n'),
    next: `${findings[0]?.remedy ?? 'look at the pods of mcp-sentinel'}\nthen run it again: it knows what was there before`,
    cause: error,
  });
}
