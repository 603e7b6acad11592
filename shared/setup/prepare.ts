import { planFor, type RestoreResult, restore } from '../backup/restore.js';
import { prefixOf } from '../backup/stores/store.js';
import { type Candidate, candidates, sorted } from '../backup/walk.js';
import { installableCertManager } from '../certificates/version.js';
import { diagnoseSetup, preflight } from '../checks/diagnose.js';
import { blocking, type Finding } from '../checks/finding.js';
import type { Cluster } from '../cluster/cluster.js';
import { McprtError } from '../errors.js';
import { requireFree } from '../facts/lock.js';
import { type InstallerFailure, observePlatform, type PlatformFacts } from '../facts/observe-platform.js';
import { rulesOf } from '../permissions/operations.js';
import type { Timed } from '../phases.js';
import type { Proxies } from '../proxy.js';
import { holderOf } from '../run-context.js';
import { planSetup, requireSetupPlan } from './approval.js';
import { binaryFaults, goFault } from './binary.js';
import { manifestFrom, type ReleaseManifest, releaseManifest } from './cert-manager.js';
import { unfinishedSince } from './first-install.js';
import { decideMode, type ModeDecision } from './mode.js';
import { obstaclesError } from './obstacles.js';
import type { SetupOptions, SetupPorts, SetupRecord } from './options.js';
import { checkOrders, installerCertificates, ordering } from './orders.js';
import { decidePlatformMode, type KnownConfig, knownConfig, type PlatformModeDecision } from './platform-mode.js';

/** Everything that was decided before anything is changed. */
export interface Prepared {
  facts: PlatformFacts;
  decision: ModeDecision;
  /** The plan of a restore, when there is a backup to restore. */
  plan: RestoreResult | undefined;
  /** How many orders may follow. */
  allowed: number;
  platformMode: PlatformModeDecision;
  /** What the installer will find of the platform's configuration. */
  config: KnownConfig;
  manifest: ReleaseManifest;
  /** What was found at the beginning and may be why setup fails, where nobody has looked again. */
  standing: Finding[];
  observe(installer?: InstallerFailure): Promise<PlatformFacts>;
}

/**
 * Looks, decides, and refuses what must not be begun. Changes nothing.
 *
 * @throws McprtError `setup-mode`, `setup-plan-moved`, `setup-unbound`, `setup-preflight`, `permission-missing`, `setup-acme-email`, `setup-source`,
 * `setup-binary`, `setup-build`, `certmanager-manifest`, `setup-platform-mode`, `setup-orders`, `setup-budget`, `restore-locked`, and those by which a backup is refused
 */
export async function prepare(
  cluster: Cluster,
  ports: SetupPorts,
  options: SetupOptions,
  record: SetupRecord,
  phase: Timed,
): Promise<Prepared> {
  const found =
    options.restore === undefined ? [] : await candidates(ports, options.domain, options.restore.key.signers);
  // A store that merely holds nothing is no failure: before a first install there is no backup. Nor is what cannot be ours.
  const hasBackup = found.some(({ standing }) => standing !== 'absent' && standing !== 'foreign');
  const observe = (installer?: InstallerFailure): Promise<PlatformFacts> =>
    observePlatform(cluster, {
      ...options.platform,
      rules: rulesOf(options.dryRun ? 'setup-plan' : 'install'),
      installer,
      backup: newestOf(found),
    });
  const [facts, unfinished] = await phase('look at the cluster and its names', () =>
    Promise.all([observe(), unfinishedSince(cluster), requireFree(cluster, holderOf(options.run))]),
  );
  const { seen } = facts;
  const { issuer } = options.settings;
  record.fingerprint = seen.fingerprint;
  const decision = decideMode(options.wanted, { seen, issuer, hasBackup, unfinishedSince: unfinished });
  record.decision = decision;
  ports.progress(`${decision.case}: ${decision.reasons.join('; ')}`);
  const manifest = manifestFor(options, facts, ports.proxies);
  const standing = diagnoseSetup(facts, 'looking');
  record.findings = [...standing];
  // Nothing of the source has run yet, so that it may be told of before it is known to be the approved one.
  const faults = await faultsOf(ports, options, { decision, facts, manifest });
  const refused = obstaclesError(blocking(standing), faults.stopping);
  if (refused !== undefined) throw refused;
  const setupPlan = await planSetup(options, { fingerprint: seen.fingerprint, mode: decision.mode });
  record.plan = setupPlan.digest;
  requireSetupPlan(setupPlan, options.expectedPlan);

  const installer = installerCertificates(options.hosts, issuer);
  const nothing = { objects: [], certificates: [], ledger: [] };
  const planning = { recordedCertManager: installableCertManager(!seen.canBrake), mask: ports.mask, installer };
  const own = await planFor(cluster, seen, nothing, planning);
  const isNeeded = decision.mode === 'first-install' || ordering(own.plan.certificates).length > 0;
  const plan = hasBackup
    ? await phase('plan the restore', () => planRestoreOf(cluster, ports, options, isNeeded))
    : undefined;
  const planned = (plan ?? own).plan;
  record.forecasts = planned.certificates;
  record.warnings = [...planned.warnings, ...faults.doubts];
  const config = knownConfig(facts.config, plan?.plan);
  const platformMode = decidePlatformMode(options.platformMode.wanted, config, options.platformMode.agreed);
  if (platformMode.reason !== '') decision.reasons.push(platformMode.reason);
  const limits = { found: decision.case, hasBackup: plan !== undefined, issuer, hosts: options.hosts };
  if (options.restore === undefined) await refuseForgottenKey(ports, options, record);
  const allowed = checkOrders(record.forecasts, options.maxOrders, limits);
  // What setup is about to mend is told of a plan only: of a setup that fails on the way it is no cause.
  if (options.dryRun) record.findings = preflight(facts);
  return { facts, decision, plan, allowed, platformMode, config, manifest, standing, observe };
}

/** Errors of a backup that is old, or in doubt because of a newer one: a cluster that needs nothing of it goes on without. */
const merelyOld: readonly string[] = ['backup-too-old', 'backup-rollback', 'backup-newer-unreadable'];

async function planRestoreOf(
  cluster: Cluster,
  ports: SetupPorts,
  options: SetupOptions,
  isNeeded: boolean,
): Promise<RestoreResult | undefined> {
  if (options.restore === undefined) return undefined;
  try {
    return await restore(cluster, ports, {
      ...restoreOptions(options),
      maxOrders: Number.MAX_SAFE_INTEGER,
      dryRun: true,
    });
  } catch (error) {
    if (isNeeded || !(error instanceof McprtError) || !merelyOld.includes(error.code)) throw error;
    ports.warn(`nothing has to be restored, and the newest backup could not be: ${error.message}: ${error.why}`);
    return undefined;
  }
}

/** What a restore inside of setup is given; `maxOrders` and `dryRun` come with each call. */
export function restoreOptions({
  restore: given,
  run,
  hosts,
  settings,
}: SetupOptions): Omit<Parameters<typeof restore>[2], 'maxOrders' | 'dryRun'> {
  if (given === undefined) throw new Error('a restore without its key');
  return { ...given, run, installer: installerCertificates(hosts, settings.issuer) };
}

function newestOf(found: readonly Candidate[]): PlatformFacts['backup'] {
  const newest = found
    .flatMap(({ store, backup }) => (backup ? [{ store, context: backup.context }] : []))
    .sort((a, b) => b.context.generation - a.context.generation)[0];
  return newest && { generation: newest.context.generation, createdAt: newest.context.createdAt, store: newest.store };
}

/** A secret that the job's environment does not have is empty: without this, setup would order what a backup holds. */
async function refuseForgottenKey(
  ports: SetupPorts,
  { domain, maxOrders }: SetupOptions,
  record: SetupRecord,
): Promise<void> {
  const due = ordering(record.forecasts);
  if (due.length === 0 || maxOrders !== 'auto') return;
  const listed = await Promise.all(
    ports.stores.map(async (store) => {
      try {
        const { own } = sorted((await store.list({ prefix: prefixOf(domain) })).entries, { domain });
        return own.slice(0, 1).map(({ name }) => `${store.name}: ${name}`);
      } catch {
        // A store that is empty, or that this step cannot read, holds nothing back.
        return [];
      }
    }),
  );
  if (listed.flat().length === 0) return;
  throw new McprtError('setup-orders', {
    what: `setup would lead to ${due.length} certificate order${due.length === 1 ? '' : 's'} although there is a backup`,
    why: [...listed.flat(), ...due.map((one) => `${one.namespace}/${one.name}: ${one.reason}`)].join('\n'),
    next: 'give `restore-key`, and setup restores first; a job must name the environment that holds that secret. If the orders are wanted, set `max-orders`',
  });
}

/** cert-manager's release manifest: the one that is given, or that of the version that is there or given. */
function manifestFor({ certManager }: SetupOptions, { seen }: PlatformFacts, proxies: Proxies): ReleaseManifest {
  const version = certManager.version || (seen.certManager.version ?? installableCertManager(!seen.canBrake));
  return manifestFrom(certManager.manifest || releaseManifest(version), proxies);
}

/** What is wrong with the inputs, as far as it can be told before anything is changed or run. */
interface Faults {
  stopping: McprtError[];
  /** What may be wrong on the machine that a dry run is to tell of, which may be another one. */
  doubts: string[];
}

async function faultsOf(
  ports: SetupPorts,
  options: SetupOptions,
  { decision, facts, manifest }: { decision: ModeDecision; facts: PlatformFacts; manifest: ReleaseManifest },
): Promise<Faults> {
  const [ofMachine, ofManifest] = await Promise.all([machineFaults(ports, options), manifestFault(facts, manifest)]);
  const stopping = [emailFault(decision, options), ...ofMachine.stopping, ofManifest];
  return { ...ofMachine, stopping: stopping.filter((fault) => fault !== undefined) };
}

/** Of source and binary, for which nobody has to look at the cluster. */
async function machineFaults({ env }: Pick<SetupPorts, 'env'>, options: SetupOptions): Promise<Faults> {
  const [ofBinary, ofGo] = await Promise.all([binaryFaults(options), goFault({ binary: options.binary, env })]);
  if (ofGo === undefined) return { stopping: ofBinary, doubts: [] };
  return options.dryRun
    ? { stopping: ofBinary, doubts: [`${ofGo.message}: ${ofGo.next}`] }
    : { stopping: [...ofBinary, ofGo], doubts: [] };
}

/**
 * Looks at what setup needs of this machine, for whoever changes something before setup has looked at the cluster.
 *
 * @throws McprtError `setup-source`, `setup-binary`, `setup-build`, `setup-preflight`
 */
export async function requireParts(ports: Pick<SetupPorts, 'env'>, options: SetupOptions): Promise<void> {
  const refusal = obstaclesError([], (await machineFaults(ports, options)).stopping);
  if (refusal !== undefined) throw refusal;
}

function emailFault({ mode }: ModeDecision, { settings }: SetupOptions): McprtError | undefined {
  if (mode !== 'first-install' || settings.acmeEmail !== '') return undefined;
  return new McprtError('setup-acme-email', {
    what: 'a first install needs an e-mail address for the ACME account',
    why: `ClusterIssuer ${settings.issuer} is not there, and the installer makes it with that address`,
    next: 'set `acme-email`; later runs do not use it',
  });
}

/** Where cert-manager is not there, setup cannot do without its manifest. One that is merely down may come back by itself. */
async function manifestFault({ seen }: PlatformFacts, manifest: ReleaseManifest): Promise<McprtError | undefined> {
  if (seen.certManager.state !== 'absent') return undefined;
  try {
    await manifest.objects();
    return undefined;
  } catch (error) {
    if (error instanceof McprtError) return error;
    throw error;
  }
}
