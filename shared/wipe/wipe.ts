import { type Allowance, isAllowed } from '../backup/allowance.js';
import type { BackupResult } from '../backup/backup.js';
import { type Brake, brake, withBrakeNote } from '../backup/brake.js';
import type { BackupKey } from '../backup/keys.js';
import type { Ports } from '../backup/ports.js';
import type { Cluster } from '../cluster/cluster.js';
import type { KubeObject } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { noteWiped } from '../facts/installation.js';
import { requireFree } from '../facts/lock.js';
import { explainStuck } from '../facts/namespace-blockers.js';
import { type IsOurs, platformsOwn } from '../facts/namespaces.js';
import { type LiveInventory, readInventory } from '../facts/read-inventory.js';
import { maskValues } from '../facts/secrets.js';
import { holderOf, type RunContext } from '../run-context.js';
import { deleteTargets, groupsOf, namespacesOf } from './delete.js';
import { guardCluster, guardInputs, guardUnknown } from './guard.js';
import { unproven, versionsOf } from './inventory.js';
import { type Journal, removeJournal, writeJournal } from './journal.js';
import { observeForWipe, type WipeObservation } from './observe.js';
import { findProof, freshBackup, type ProofBackup, proofOf } from './proof.js';
import { decideStart, type Start, unsavedError, unsavedOf } from './resume-decision.js';
import { count, goesLast, planWipe, subjectOf, type WipeChoice, type WipePlan, type WipeTarget } from './targets.js';
import { untilGone } from './wait.js';

export interface WipeOptions extends WipeChoice {
  key: BackupKey;
  run: RunContext;
  /** Must equal the domain. */
  confirm: string;
  /** Fingerprint that the cluster must have; any when empty. */
  cluster: string;
  /** What of a backup's refusals the user overrides. */
  allow: readonly Allowance[];
  /** How long the whole operation may take, in ms. */
  timeout: number;
  dryRun: boolean;
}

export interface WipeResult {
  /** `nothing`: there was nothing to wipe. `resumed`: it went on with a wipe that had not finished. */
  start: 'nothing' | 'fresh' | 'resumed';
  domain: string;
  fingerprint: string;
  plan: WipePlan;
  /** The backup that it stands on; undefined for a dry run, and where nothing had to be wiped. */
  proof: ProofBackup | undefined;
  /** Why a dry run's wipe would be refused by the backup before it. */
  refused: string | undefined;
  /** Namespaces that went. */
  wiped: number;
  /** `wait`: from the last deletion until the cluster had finished. */
  seconds: { prove: number; delete: number; wait: number };
}

/**
 * Wipes: observe, back up, prove that the stored backup is the live inventory, delete, wait, verify. Safe to be killed
 * anywhere and run again: the journal keeps the backup that was proven, and everything else is decided anew.
 *
 * @throws McprtError of `backUp` and `brake`; `wipe-protected`, `wipe-confirm`, `wipe-wrong-cluster`, `wipe-read-back`,
 * `wipe-inventory`, `wipe-unsaved`, `wipe-proof-lost`, `wipe-stuck`, `wipe-recreated`
 */
export async function wipe(cluster: Cluster, ports: Ports, options: WipeOptions): Promise<WipeResult> {
  const deadline = Date.now() + options.timeout - Math.min(10_000, options.timeout / 5);
  guardInputs({ ...options, domain: options.run.domain });
  const seen = await observeForWipe(cluster);
  guardCluster(seen, { expected: options.cluster, domain: options.run.domain });
  const plan = planWipe(seen, options);
  for (const warning of plan.warnings) ports.warn(warning);
  const looked = { seen, plan };
  const base = { domain: options.run.domain, fingerprint: seen.fingerprint, plan, refused: undefined };
  const idle = { proof: undefined, wiped: 0, seconds: { prove: 0, delete: 0, wait: 0 } };
  if (options.dryRun) {
    for (const line of linesOf(plan)) ports.progress(line);
    const foreseen =
      plan.targets.length === 0 ? { start: 'nothing' as const } : await foresee(cluster, ports, options, looked);
    return { ...base, ...idle, ...foreseen };
  }
  await requireFree(cluster, holderOf(options.run));
  if (plan.targets.length === 0) {
    if (seen.journal !== undefined) await tidyUp(cluster, ports.signal, options, seen);
    return { ...base, ...idle, start: 'nothing' };
  }
  guardUnknown(seen, options.cluster);
  const stopwatch = watchTime();
  const basis = await prove(cluster, ports, options, looked);
  const done = await underLock(cluster, ports, options, { seen, basis, deadline, proven: stopwatch });
  // Last of all: until here it names the backup that another attempt would stand on.
  await removeJournal(cluster);
  return { ...base, ...done, start: basis.fresh === undefined ? 'resumed' : 'fresh', proof: basis.proof };
}

/** One look at the cluster, and what a wipe would take of it. */
interface Looked {
  seen: WipeObservation;
  plan: WipePlan;
}

/** The backup that a wipe stands on: made just now, or by the wipe that the journal tells of. */
interface Basis {
  proof: ProofBackup;
  fresh: BackupResult | undefined;
  journal: Journal | undefined;
}

/** Decides on which backup the wipe stands, and makes it where it must be a fresh one. */
async function prove(cluster: Cluster, ports: Ports, options: WipeOptions, looked: Looked): Promise<Basis> {
  const { start, proof } = await decide(cluster, ports, options, looked);
  if (start.kind === 'refuse') throw start.error;
  if (start.kind === 'resume' && proof !== undefined) {
    const { journal } = start;
    ports.progress(
      `continuing the wipe that ${journal.run} began: ${proof.name} is still stored in ${proof.stores.join(', ')} and holds all that is live`,
    );
    return { proof, fresh: undefined, journal };
  }
  if (start.kind === 'fresh') ports.progress(`making a backup: ${start.because}`);
  const fresh = await freshBackup(cluster, ports, backupOptions(options, looked));
  return { proof: proofOf(fresh), fresh, journal: undefined };
}

async function decide(
  cluster: Cluster,
  ports: Ports,
  options: WipeOptions,
  looked: Looked,
): Promise<{ start: Start; proof: ProofBackup | undefined }> {
  const { seen, plan } = looked;
  const { journal } = seen;
  const proof = journal && (await findProof(ports, journal, options.key, seen.fingerprint));
  const live: ReadonlyMap<string, string> =
    journal === undefined ? new Map() : versionsOf(await readMasked(cluster, ports, looked), seen);
  const allowsFewer = (keys: readonly string[]): boolean =>
    keys.every((key) => isAllowed(options.allow, 'fewer-objects', [key]));
  return {
    start: decideStart({
      journal,
      live,
      isGoing: goingIn(plan),
      held: proof !== undefined,
      allowsFewer,
    }),
    proof,
  };
}

interface Work {
  seen: WipeObservation;
  basis: Basis;
  deadline: number;
  proven: Stopwatch;
}

/** Holds the lock that restores take too; it also denies new orders, whatever is left half deleted meanwhile. */
async function underLock(
  cluster: Cluster,
  ports: Ports,
  options: WipeOptions,
  work: Work,
): Promise<Pick<WipeResult, 'plan' | 'wiped' | 'seconds'>> {
  const lock = await takeLock(cluster, ports.signal, options, work.seen);
  const letGo = async (because?: unknown): Promise<void> => {
    await lock.release().catch((error: unknown) => {
      throw withBrakeNote(because ?? error, lock.place);
    });
  };
  const done = await underHeld(cluster, ports, options, work).catch(async (error: unknown) => {
    await letGo(error);
    throw error;
  });
  await letGo();
  return done;
}

async function underHeld(
  cluster: Cluster,
  ports: Ports,
  options: WipeOptions,
  work: Work,
): Promise<Pick<WipeResult, 'plan' | 'wiped' | 'seconds'>> {
  const seen = await observeForWipe(cluster);
  const plan = planWipe(seen, options);
  const live = await readMasked(cluster, ports, { seen, plan });
  requireProven(work.basis, live, { seen, plan }, options.allow);
  if (work.basis.journal === undefined) {
    await writeJournal(cluster, journalOf(work.basis.proof, plan, versionsOf(live, seen), options));
  }
  const prove = work.proven();
  const times = await deleteAll(cluster, ports, plan.targets, work);
  await verify(cluster, options);
  // Before the lock is let go: what was queued behind it must find that an installation is due.
  await noteWiped(cluster, holderOf(options.run));
  return { plan, wiped: namespacesOf(plan.targets).length, seconds: { prove, ...times } };
}

async function takeLock(
  cluster: Cluster,
  signal: AbortSignal,
  { run, timeout }: WipeOptions,
  { now, canBrake }: WipeObservation,
): Promise<Brake> {
  const expires = new Date(now.getTime() + timeout);
  return brake(cluster, { run: holderOf(run), expires }, { canDeny: canBrake, signal });
}

/** Ends a wipe that was killed after its last deletion: its lock may be half released. */
async function tidyUp(
  cluster: Cluster,
  signal: AbortSignal,
  options: WipeOptions,
  seen: WipeObservation,
): Promise<void> {
  const lock = await takeLock(cluster, signal, options, seen);
  await noteWiped(cluster, holderOf(options.run));
  await lock.release();
  await removeJournal(cluster);
}

/** @throws McprtError `wipe-inventory`, `wipe-unsaved` */
function requireProven(
  { fresh, journal }: Basis,
  live: LiveInventory,
  { seen, plan }: Looked,
  allow: readonly Allowance[],
): void {
  const unsaved = journal === undefined ? [] : unsavedOf(journal, versionsOf(live, seen), goingIn(plan));
  if (journal !== undefined && unsaved.length > 0) throw unsavedError(journal, unsaved);
  const problems = fresh === undefined ? [] : unproven(fresh.snapshot, seen, live, allow);
  if (problems.length > 0) {
    throw new McprtError('wipe-inventory', {
      what: 'nothing was wiped: the backup that was just stored is not what the cluster holds now',
      why: problems.join('\n'),
      next: 'something writes these objects (cert-manager renews, a team is being made): wait until it has finished, and run the wipe again',
    });
  }
}

async function deleteAll(
  cluster: Cluster,
  ports: Ports,
  targets: readonly WipeTarget[],
  { seen, deadline }: Work,
): Promise<{ delete: number; wait: number }> {
  const seconds = { delete: 0, wait: 0 };
  for (const part of [targets.filter((one) => !goesLast(one)), targets.filter(goesLast)]) {
    const deleting = watchTime();
    for (const group of groupsOf(part)) {
      ports.progress(
        `deleting ${group.length > 3 ? `${count(group.length, 'object')} of kind ${group[0]?.kind.kind}` : group.map(subjectOf).join(', ')}`,
      );
      await deleteTargets(cluster, group, ports.signal);
    }
    seconds.delete += deleting();
    const waiting = watchTime();
    const uids = namespacesOf(part).map(({ uid }) => uid);
    const left = uids.length === 0 ? [] : await untilGone(cluster, uids, { ...ports, deadline });
    if (left.length > 0) throw await stuck(cluster, left, seen.groups);
    seconds.wait += waiting();
  }
  return seconds;
}

async function stuck(
  cluster: Cluster,
  left: readonly KubeObject[],
  groups: ReadonlyMap<string, string[]>,
): Promise<McprtError> {
  return new McprtError('wipe-stuck', {
    what: `${count(left.length, 'namespace')} ${left.length === 1 ? 'is' : 'are'} still being deleted: ${left
      .slice(0, 20)
      .map(({ metadata }) => metadata.name)
      .join(', ')}`,
    why: (await explainStuck(cluster, left, groups)).join('\n'),
    next: 'finish what the lines name: start the controller that a finalizer waits for, or delete the API service that does not answer. A finalizer that is taken off by force leaves behind what it protects. Then run the wipe again: it continues from here',
  });
}

/** Looks again, at the cluster and not at what was sent. @throws McprtError `wipe-recreated` */
async function verify(cluster: Cluster, options: WipeOptions): Promise<void> {
  const { targets } = planWipe(await observeForWipe(cluster), options);
  if (targets.length === 0) return;
  throw new McprtError('wipe-recreated', {
    what: `${count(targets.length, 'object')} ${targets.length === 1 ? 'is' : 'are'} there again, or still, after the wipe`,
    why: targets.slice(0, 50).map(subjectOf).join('\n'),
    next: 'stop what makes them (a GitOps tool, the platform’s own API), and run the wipe again',
  });
}

/** How a wipe would begin, and why it would be refused before its first deletion, if it would. */
async function foresee(
  cluster: Cluster,
  ports: Ports,
  options: WipeOptions,
  looked: Looked,
): Promise<Pick<WipeResult, 'start' | 'refused'>> {
  try {
    const { start } = await decide(cluster, ports, options, looked);
    if (start.kind === 'refuse') throw start.error;
    if (start.kind === 'resume') return { start: 'resumed', refused: undefined };
    await freshBackup(cluster, ports, backupOptions(options, looked));
    return { start: 'fresh', refused: undefined };
  } catch (error) {
    if (!(error instanceof McprtError)) throw error;
    return { start: 'fresh', refused: `${error.code}: ${error.message}: ${error.why}` };
  }
}

/** A plan for the log: what would go with its UID, and what stays. */
function linesOf({ targets, kept }: WipePlan): string[] {
  return [
    ...targets.map((one) => `would delete ${subjectOf(one)} ${one.uid}: ${one.because}`),
    ...kept.map(({ subject, why }) => `would leave ${subject}: ${why}`),
  ];
}

function backupOptions(options: WipeOptions, looked: Looked): Parameters<typeof freshBackup>[2] {
  const { key, run, allow, dryRun } = options;
  return { key, run, allow, dryRun, isOurs: goingOrOurs(looked) };
}

async function readMasked(cluster: Cluster, { mask }: Ports, looked: Looked): Promise<LiveInventory> {
  const live = await readInventory(cluster, looked.seen, goingOrOurs(looked));
  for (const secret of live.secrets.values()) maskValues(secret, mask);
  return live;
}

/** What a wipe takes cannot be told as somebody else's trouble: its backup is as strict about it as about the platform. */
function goingOrOurs({ seen, plan }: Looked): IsOurs {
  const isGoing = goingIn(plan);
  const isOurs = platformsOwn(seen);
  return (namespace) => isGoing(namespace) || isOurs(namespace);
}

function goingIn({ targets }: WipePlan): (namespace: string) => boolean {
  const going = new Set(namespacesOf(targets).map(({ name }) => name));
  return (namespace) => going.has(namespace);
}

function journalOf(
  proof: ProofBackup,
  plan: WipePlan,
  secrets: Journal['secrets'],
  { run, scope }: WipeOptions,
): Journal {
  return {
    domain: run.domain,
    backup: { name: proof.name, generation: proof.context.generation, statement: proof.statement },
    run: holderOf(run),
    scope,
    targets: plan.targets.map((target) => `${subjectOf(target)} ${target.uid}`),
    secrets,
  };
}

/** Seconds since it was made, rounded to tenths. */
type Stopwatch = () => number;

function watchTime(): Stopwatch {
  const started = performance.now();
  return () => Math.round((performance.now() - started) / 100) / 10;
}
