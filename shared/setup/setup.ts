import type { CertificateForecast } from '../backup/plan.js';
import type { Ports } from '../backup/ports.js';
import { assumedCertManager } from '../backup/refusals.js';
import { issuances, planFor, type RestoreOptions, type RestoreResult, restore } from '../backup/restore.js';
import { candidates } from '../backup/select.js';
import { diagnose, preflight } from '../checks/diagnose.js';
import { blocking, type Finding } from '../checks/finding.js';
import { type LookOptions, lookAround } from '../checks/observe.js';
import { setupPermissions } from '../checks/permissions.js';
import type { InstallerFailure, World } from '../checks/world.js';
import type { Cluster } from '../cluster/cluster.js';
import type { Credentials } from '../cluster/credentials.js';
import { McprtError } from '../errors.js';
import type { Hosts, Values } from '../profile/values.js';
import { type Binary, findBinary } from './binary.js';
import { installCertManager, isHealthy } from './cert-manager.js';
import { readDoctor } from './doctor.js';
import { type InstallerLog, type InstallerRun, runInstaller } from './installer.js';
import { type InstallerSettings, invocationOf } from './invocation.js';
import { writeKubeconfig } from './kubeconfig-file.js';
import { decideMode, type ModeDecision, type WantedMode } from './mode.js';
import { checkOrders, installerCertificates, mergedForecasts, type OrderLimit } from './orders.js';
import { closeRegistry } from './registry-door.js';
import { beginFirstInstall, endFirstInstall, unfinishedSince } from './unfinished.js';
import { type CertificateState, certificateStates, type Patience, untilIssuerReady, untilRolledOut } from './verify.js';

export interface SetupOptions {
  wanted: WantedMode;
  hosts: Hosts;
  domain: string;
  profile: Values;
  settings: InstallerSettings;
  /** Everything for a restore; undefined when no restore key was given. */
  restore: Omit<RestoreOptions, 'dryRun' | 'maxOrders'> | undefined;
  maxOrders: OrderLimit;
  binary: string;
  source: string;
  certManagerManifest: string;
  look: Omit<LookOptions, 'permissions' | 'installer' | 'backup'>;
  /** In ms. */
  patience: Pick<Patience, 'certificates' | 'rollouts'>;
  doctor: boolean;
  dryRun: boolean;
}

export interface SetupPorts extends Ports {
  log: InstallerLog;
  env: NodeJS.ProcessEnv;
  /** Folder of the job, emptied at its end. */
  folder: string;
}

/** What happened so far. It is filled on the way, so that a failed or cancelled run has a report as well. */
export interface SetupRecord {
  decision?: ModeDecision;
  fingerprint?: string;
  forecasts: CertificateForecast[];
  restored?: RestoreResult;
  certManagerInstalled: boolean;
  binary?: Binary;
  installer?: InstallerRun;
  certificates: CertificateState[];
  /** Orders that appeared since the start. */
  newOrders: string[];
  findings: Finding[];
  phases: { name: string; seconds: number }[];
}

export function newRecord(): SetupRecord {
  return { forecasts: [], certManagerInstalled: false, certificates: [], newOrders: [], findings: [], phases: [] };
}

/**
 * Sets the platform up: look, decide, check everything at once, restore, install cert-manager where it is missing or
 * broken, run the platform's installer, verify. Safe to run again at any point.
 *
 * @throws McprtError `setup-preflight`, `setup-mode`, `setup-orders`, `setup-budget`, `setup-failed`, `setup-verify`, and
 * those of a restore
 */
export async function setUp(
  cluster: Cluster,
  credentials: Credentials,
  ports: SetupPorts,
  options: SetupOptions,
  record: SetupRecord,
): Promise<void> {
  const phase = phasesInto(record, ports);
  const found =
    options.restore === undefined ? [] : await candidates(ports, options.domain, options.restore.key.signers);
  // A store that merely holds nothing is no failure: before a first install there is no backup.
  const hasBackup = found.some(({ error }) => error === undefined || error.code !== 'store-miss');
  const newest = found.find(({ backup }) => backup !== undefined);
  const backup = newest?.backup && {
    generation: newest.backup.context.generation,
    createdAt: newest.backup.context.createdAt,
    store: newest.store,
  };
  const look = (installer?: InstallerFailure): Promise<World> =>
    lookAround(cluster, { ...options.look, permissions: setupPermissions, installer, backup });

  const [world, unfinished] = await phase('look at the cluster and its names', () =>
    Promise.all([look(), unfinishedSince(cluster)]),
  );
  const issuer = options.settings.issuer;
  const { seen } = world;
  record.fingerprint = seen.fingerprint;
  const decision = decideMode(options.wanted, { seen, issuer, hasBackup, unfinishedSince: unfinished });
  record.decision = decision;
  ports.progress(`${decision.case}: ${decision.reasons.join('; ')}`);
  record.findings = preflight(world);
  refuseBlocked(record.findings, decision, options);

  const restoreOptions = options.restore && { ...options.restore, maxOrders: Number.MAX_SAFE_INTEGER };
  const plan =
    hasBackup && restoreOptions
      ? await phase('plan the restore', () => restore(cluster, ports, { ...restoreOptions, dryRun: true }))
      : undefined;
  const intents = { objects: [], certificates: installerCertificates(options.hosts, issuer), ledger: [] };
  const own = await planFor(cluster, seen, intents, { recordedCertManager: assumedCertManager, mask: ports.mask });
  record.forecasts = mergedForecasts(plan?.plan.certificates ?? [], own.plan.certificates);
  const limits = { found: decision.case, hasBackup: plan !== undefined, issuer, hosts: options.hosts };
  const allowed = checkOrders(record.forecasts, options.maxOrders, limits);
  if (options.dryRun) return;

  if (decision.mode === 'first-install') await beginFirstInstall(cluster, seen.now);
  const before = await issuances(cluster);
  let installer: InstallerFailure | undefined;
  try {
    if (plan && restoreOptions && plan.plan.lines.some(({ action }) => action !== 'keep' && action !== 'skip')) {
      record.restored = await phase('restore', () =>
        restore(cluster, ports, { ...restoreOptions, maxOrders: allowed, dryRun: false }),
      );
    }
    const work: Work = { cluster, credentials, ports, options, record, decision, phase };
    await prepareCertManager(work);
    const run = await runPlatformInstaller(work);
    // The installer says success before it has closed the registry, and ends well when that fails.
    const { wasOpen } = await closeRegistry(cluster);
    if (wasOpen) ports.warn('the installer left the public registry without a password: it asks for one again');
    installer = run.failed;
    if (installer) {
      throw new McprtError('setup-failed', {
        what: `the platform’s installer failed${installer.step === undefined ? '' : ` in its step ${installer.step}`}`,
        why: installer.message,
        next: 'see the findings; setup can be run again',
      });
    }
    await phase('verify', async () => {
      await untilRolledOut(cluster, patienceOf(ports, options));
      record.certificates = await certificateStates(cluster, seen.certManager.version, ports.mask);
      record.newOrders = (await issuances(cluster)).orders.filter((one) => !before.orders.includes(one));
    });
  } catch (error) {
    if (ports.signal.aborted) throw error;
    const after = await look(installer);
    record.findings = diagnose(after);
    record.newOrders = (await issuances(cluster)).orders.filter((one) => !before.orders.includes(one));
    throw explained(error, record.findings);
  }
  const doctors = record.findings.filter(({ code }) => code === 'doctor');
  record.findings = [...diagnose(await phase('look again', () => look())), ...doctors];
  verifyEnd(record, allowed);
  await endFirstInstall(cluster);
}

function verifyEnd(record: SetupRecord, allowed: number): void {
  const changed = record.forecasts
    .filter(({ verdict, serial }) => verdict === 'keep' && serial !== undefined)
    .flatMap((planned) => {
      const now = record.certificates.find((one) => one.namespace === planned.namespace && one.name === planned.name);
      return now === undefined || now.serial === planned.serial
        ? []
        : [`${planned.namespace}/${planned.name}: serial ${now.serial} instead of ${planned.serial}`];
    });
  if (changed.length > 0 || record.newOrders.length > allowed) {
    throw new McprtError('setup-ordered', {
      what: 'certificates were ordered that were there already',
      why: [...changed, ...record.newOrders.map((order) => `new order: ${order}`)].join('\n'),
      next: 'the platform works; report this with the summary, since the forecast was wrong',
    });
  }
  const errors = blocking(record.findings);
  if (errors.length > 0) {
    throw new McprtError('setup-verify', {
      what: `setup is done, and ${errors.length} thing${errors.length === 1 ? ' is' : 's are'} not as it should be: ${errors[0]?.cause}`,
      why: errors.map(({ subject, cause, evidence }) => `${subject}: ${cause}: ${evidence.join('; ')}`).join('\n'),
      next: errors[0]?.remedy ?? '',
    });
  }
}

type Phase = <T>(name: string, work: () => Promise<T>) => Promise<T>;

function phasesInto(record: SetupRecord, ports: SetupPorts): Phase {
  return async (name, work) => {
    ports.signal.throwIfAborted();
    const started = performance.now();
    try {
      return await work();
    } finally {
      record.phases.push({ name, seconds: (performance.now() - started) / 1000 });
    }
  };
}

function refuseBlocked(findings: readonly Finding[], { mode }: ModeDecision, { settings }: SetupOptions): void {
  const errors = blocking(findings);
  if (errors.length > 0) {
    throw new McprtError('setup-preflight', {
      what: `${errors.length} thing${errors.length === 1 ? ' stands' : 's stand'} in the way of setup; nothing was changed`,
      why: errors.map(({ code, subject, cause }) => `${subject}: ${cause} (${code})`).join('\n'),
      next: errors.map(({ remedy }) => remedy).join('\n'),
    });
  }
  if (mode === 'first-install' && settings.acmeEmail === '') {
    throw new McprtError('setup-acme-email', {
      what: 'a first install needs an e-mail address for the ACME account',
      why: `ClusterIssuer ${settings.issuer} is not there, and the installer makes it with that address`,
      next: 'set `acme-email`; later runs do not use it',
    });
  }
}

function patienceOf(ports: SetupPorts, { patience }: SetupOptions): Patience {
  return { ...patience, signal: ports.signal, progress: ports.progress };
}

interface Work {
  cluster: Cluster;
  credentials: Credentials;
  ports: SetupPorts;
  options: SetupOptions;
  record: SetupRecord;
  decision: ModeDecision;
  phase: Phase;
}

async function prepareCertManager({ cluster, ports, options, record, decision, phase }: Work): Promise<void> {
  if (!(await isHealthy(cluster))) {
    await phase('install cert-manager', () =>
      installCertManager(cluster, {
        manifest: options.certManagerManifest,
        deadline: options.patience.rollouts,
        signal: ports.signal,
        progress: ports.progress,
      }),
    );
    record.certManagerInstalled = true;
  }
  if (decision.mode === 'rerun') {
    await phase('wait for the issuer', () =>
      untilIssuerReady(cluster, options.settings.issuer, patienceOf(ports, options)),
    );
  }
}

async function runPlatformInstaller({
  credentials,
  ports,
  options,
  record,
  decision,
  phase,
}: Work): Promise<InstallerRun> {
  const { env, folder, log, signal } = ports;
  const kubeconfig = await writeKubeconfig(credentials, folder);
  try {
    const invocation = invocationOf({
      mode: decision.mode,
      settings: options.settings,
      profile: options.profile,
      env,
      domain: options.domain,
      kubeconfig: kubeconfig.path,
    });
    for (const notice of invocation.notices) ports.progress(notice);
    const { binary, source } = options;
    const cli = await phase('find the installer', () =>
      findBinary({ binary, source, folder, env: invocation.env, log, signal }),
    );
    record.binary = cli;
    const run = await phase('run the installer', () =>
      runInstaller(cli.path, invocation, { cwd: cli.source, log, signal }),
    );
    record.installer = run;
    if (!run.failed && options.doctor) {
      const heard: string[] = [];
      const listening: InstallerLog = {
        ...log,
        line: (text) => {
          heard.push(text);
          log.line(text);
        },
      };
      log.step('Doctor of the platform');
      await phase('ask the doctor', () =>
        runInstaller(
          cli.path,
          { ...invocation, args: ['cluster', 'doctor'] },
          { cwd: cli.source, log: listening, signal },
        ),
      );
      record.findings.push(...readDoctor(heard));
    }
    return run;
  } finally {
    await kubeconfig.remove();
  }
}

/** An error with the likeliest cause that the findings name, so that the first line of the log is the one that helps. */
function explained(error: unknown, findings: readonly Finding[]): unknown {
  const [first] = blocking(findings);
  if (!(error instanceof McprtError) || first === undefined) return error;
  return new McprtError(error.code, {
    what: error.message,
    why: `${first.subject}: ${first.cause}\n${first.evidence.join('\n')}\n${error.why}`,
    next: `${first.remedy}\n${error.next}`,
    cause: error.cause,
  });
}
