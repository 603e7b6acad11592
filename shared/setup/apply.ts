import { brake } from '../backup/brake.js';
import { restore } from '../backup/restore.js';
import { isDue } from '../backup/restore-plan.js';
import type { Finding } from '../checks/finding.js';
import { finding } from '../checks/finding.js';
import { type Cluster, nowOf } from '../cluster/cluster.js';
import type { Credentials } from '../cluster/credentials.js';
import { McprtError, messageOf } from '../errors.js';
import { observeLock } from '../facts/lock.js';
import type { Timed } from '../phases.js';
import { holderOf } from '../run-context.js';
import type { Binary } from './binary.js';
import { ensureCertManager } from './cert-manager.js';
import { readDoctor } from './doctor.js';
import { beginFirstInstall } from './first-install.js';
import { type InstallerLog, type InstallerRun, runInstaller } from './installer.js';
import { type Invocation, invocationOf } from './invocation.js';
import { writeKubeconfig } from './kubeconfig-file.js';
import type { SetupOptions, SetupPorts, SetupRecord } from './options.js';
import { writePlatformMode } from './platform-mode.js';
import { type Prepared, restoreOptions } from './prepare.js';
import { closeRegistry } from './registry-push-proxy.js';
import { type Patience, untilIssuerReady } from './verify.js';

export interface Work {
  cluster: Cluster;
  credentials: Credentials;
  ports: SetupPorts;
  options: SetupOptions;
  record: SetupRecord;
  prepared: Prepared;
  binary: Binary;
  phase: Timed;
}

/**
 * Restores, installs cert-manager where it does not work, runs the platform's installer, closes the registry behind it,
 * and asks the platform's doctor.
 *
 * @throws McprtError `setup-failed`, those of a restore and of cert-manager's installation
 */
export async function apply(work: Work): Promise<void> {
  const { cluster, ports, options, record, prepared, phase } = work;
  const { decision, plan, allowed, facts, manifest } = prepared;
  if (decision.mode === 'first-install') await beginFirstInstall(cluster, facts.seen.now);
  if (plan !== undefined && isDue(plan.plan)) {
    record.restored = await phase('restore', () =>
      restore(cluster, ports, { ...restoreOptions(options), maxOrders: allowed, dryRun: false }),
    );
  } else {
    await releaseLeftBrake(work);
  }
  record.reached = 'cert-manager';
  await phase('look after cert-manager', async () => {
    record.certManagerInstalled = await ensureCertManager(cluster, {
      manifest,
      deadline: options.patience.rollouts,
      signal: ports.signal,
      progress: ports.progress,
    });
  });
  record.reached = 'issuer';
  if (decision.mode === 'rerun') {
    await phase('wait for the issuer', () =>
      untilIssuerReady(cluster, options.settings.issuer, patienceOf(ports, options)),
    );
  }
  await install(work);
}

/** How long setup waits, and whom it tells. */
export function patienceOf(ports: SetupPorts, { patience }: SetupOptions): Patience {
  return { ...patience, signal: ports.signal, progress: ports.progress };
}

/** A restore that was killed after its last write left the brake on: nothing is left to restore, and renewals are denied. */
async function releaseLeftBrake({ cluster, ports, options, prepared }: Work): Promise<void> {
  const { canBrake } = prepared.facts.seen;
  if ((await observeLock(cluster)) === undefined) return;
  const held = await brake(
    cluster,
    { run: holderOf(options.run), expires: new Date(nowOf(cluster).getTime() + 60_000) },
    { canDeny: canBrake, signal: ports.signal },
  );
  await held.release();
  ports.warn('released the brake that a restore or wipe had left on: cert-manager may order again');
}

async function install(work: Work): Promise<void> {
  const { cluster, credentials, ports, options, record, prepared, phase } = work;
  const { env, folder, log, signal } = ports;
  const { platformMode, config } = prepared;
  const cli = work.binary;
  if (platformMode.overwrites) await writePlatformMode(cluster, platformMode.pass ?? '');
  const kubeconfig = await writeKubeconfig(credentials, folder, {
    onFolder: ports.onKubeconfig,
    warn: ports.warn,
  });
  try {
    const invocation = invocationOf({
      mode: prepared.decision.mode,
      platformMode: platformMode.pass,
      googleClientId: config.values.GOOGLE_CLIENT_ID ?? '',
      settings: options.settings,
      profile: options.profile,
      env,
      domain: options.domain,
      registry: options.hosts.registry,
      kubeconfig: kubeconfig.path,
    });
    for (const notice of invocation.notices) ports.progress(notice);
    ports.onInstaller();
    record.installerBegun = true;
    record.reached = 'installer';
    const run = await phase('run the installer', () =>
      runInstaller(cli.path, invocation, { cwd: cli.source, log, signal }),
    );
    record.installer = run;
    await closeBehind(cluster, ports);
    if (run.failed) throw failureOf(run.failed);
    record.reached = 'verifying';
    if (options.doctor)
      record.findings.push(...(await phase('ask the doctor', () => askDoctor(cli, invocation, ports))));
  } finally {
    await kubeconfig.remove();
  }
}

function failureOf({ step, message }: NonNullable<InstallerRun['failed']>): McprtError {
  return new McprtError('setup-failed', {
    what: `the platform’s installer failed${step === undefined ? '' : ` in its step ${step}`}`,
    why: message,
    next: 'fix what the findings name, and run setup again: it continues from what is there',
  });
}

/** The installer says success before it has closed the registry, and ends well when that fails. */
async function closeBehind(cluster: Cluster, ports: SetupPorts): Promise<void> {
  try {
    const { wasOpen } = await closeRegistry(cluster);
    if (wasOpen) ports.warn('the installer left the public registry without a password: it asks for one again');
  } catch (error) {
    ports.warn(
      `whether the registry asks for a password could not be seen to; the post step tries again: ${messageOf(error)}`,
    );
  }
}

async function askDoctor(cli: Binary, invocation: Invocation, { log, signal }: SetupPorts): Promise<Finding[]> {
  const heard: string[] = [];
  const listening: InstallerLog = {
    ...log,
    line: (text) => {
      heard.push(text);
      log.line(text);
    },
  };
  log.step('Doctor of the platform');
  const asked = { ...invocation, args: ['cluster', 'doctor'] };
  const { failed } = await runInstaller(cli.path, asked, { cwd: cli.source, log: listening, signal });
  const found = readDoctor(heard);
  if (failed === undefined || found.length > 0) return found;
  return [
    finding('doctor', {
      severity: 'warning',
      subject: 'mcp-runtime cluster doctor',
      cause: 'the platform’s own doctor ended with an error of its own',
      evidence: failed.message.split('\n'),
      remedy: 'see its output in the log',
      confidence: 'possible',
    }),
  ];
}
