import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RestoreKey, readRestoreKey } from '../../shared/backup/keys.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { McprtError } from '../../shared/errors.js';
import { observe } from '../../shared/facts/observation.js';
import { readSecrets } from '../../shared/facts/secrets.js';
import { buildControllers } from '../driver/controllers.js';
import { type LabState, openLab, startLab, stopLab } from '../driver/lab.js';
import { difference, readMeter } from '../driver/meter.js';
import { buildProgram } from '../driver/program.js';
import { judge } from './judge.js';
import { recover, writeRefused } from './recovery.js';
import { type RestoreRun, restoreInto } from './restore.js';
import type { DrillResult } from './result.js';
import { type Choice, type OpenedBackup, openChosen } from './sealed.js';
import { resultOf } from './verdict.js';

export interface DrillOptions {
  directory: string;
  choice: Choice;
  /** As the input `from-repository` of a restore. */
  fromRepository: string;
  /** The text of the secret. */
  restoreKey: string;
  /** As the input `max-age` of a restore. */
  maxAge: string;
  /** The version of cert-manager's controllers, such as `1.16.2`; the lab's own when left out. */
  certManager: string | undefined;
  /** Without the restore key: what is built and started gets it. */
  env: NodeJS.ProcessEnv;
  progress: (line: string) => void;
  signal: AbortSignal;
}

/**
 * Restores a backup of a folder into a lab of its own, and sees what cert-manager does. The lab and all
 * that was written is removed again, whatever happens.
 *
 * @throws McprtError `drill-…`, `key-…`, `backup-…`, `lab-…`
 */
export async function drill(options: DrillOptions): Promise<DrillResult> {
  const { env, progress, signal, maxAge, directory, restoreKey, choice, fromRepository } = options;
  const key = readKey(restoreKey);
  const backup = await openChosen(directory, choice, key, progress);
  const { context, snapshot } = backup;
  progress(
    `generation ${context.generation} of ${context.domain}: ${snapshot.certificates.length} certificates, ${snapshot.objects.length} objects`,
  );
  const folder = await mkdtemp(join(env.RUNNER_TEMP || tmpdir(), 'mcprt-drill-'));
  try {
    return await inLab(options, async (lab) => {
      const isNamed = choice.generation !== undefined || choice.name !== undefined;
      const given = { directory, restoreKey, maxAge, fromRepository, isNamed };
      const run = { kubeconfig: lab.kubeconfig, ...given, folder, env, signal };
      return await drillIn(lab, backup, run, progress);
    });
  } finally {
    // The bundle may be ending, and have a file open there.
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Brings a lab up for one use, and down at its end or at once when the signal says so. */
async function inLab<T>(
  { env, progress, signal, certManager }: DrillOptions,
  use: (lab: LabState) => Promise<T>,
): Promise<T> {
  const cancelled = rejection(signal);
  await buildProgram(env, progress, signal);
  if (certManager !== undefined) await Promise.race([buildControllers(certManager, { env, progress }), cancelled]);
  progress('starting a lab');
  const name = `drill-${process.pid}-${randomBytes(3).toString('hex')}`;
  const lab = await startLab({ name, env, progress, ...(certManager !== undefined && { certManager }) });
  try {
    return await Promise.race([use(lab), cancelled]);
  } finally {
    await stopLab(lab);
  }
}

/** Rejects when the signal fires; nobody has to listen. */
function rejection(signal: AbortSignal): Promise<never> {
  const rejected = new Promise<never>((_, reject) => {
    const end = (): void => reject(signal.reason as Error);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  rejected.catch(() => undefined);
  return rejected;
}

async function drillIn(
  lab: LabState,
  backup: OpenedBackup,
  run: RestoreRun,
  progress: (line: string) => void,
): Promise<DrillResult> {
  const { signal } = run;
  const cluster = await openLab(lab);
  try {
    progress('restoring with the shipped action');
    const before = await readMeter(lab.acme.control);
    const restored = await restoreInto(backup, run);
    if (restored.isRefused)
      progress('the restore refuses this backup: writing it as it is, to hear cert-manager’s reason');
    const notTaken = restored.isRefused ? await writeRefused(cluster, backup.snapshot) : [];
    const recovery = await recover(cluster, lab, backup.snapshot, { progress, signal });
    const after = await readMeter(lab.acme.control);
    const [{ certManager, now }, secrets] = await Promise.all([observe(cluster), secretsOf(cluster, backup)]);
    const version = certManager.version ?? '';
    const madeAt = backup.context.createdAt;
    const evidence = { ...recovery, snapshot: backup.snapshot, restored, secrets, version, madeAt };
    const { orders } = difference(before, after);
    return resultOf({
      backup,
      restored,
      recovery,
      certificates: judge(evidence),
      orders,
      version,
      now,
      notTaken,
    });
  } finally {
    await cluster.close();
  }
}

function secretsOf(cluster: Cluster, { snapshot }: OpenedBackup): ReturnType<typeof readSecrets> {
  const refs = snapshot.certificates.map(({ metadata, spec }) => ({
    namespace: metadata.namespace,
    name: spec.secretName,
  }));
  return readSecrets(cluster, refs);
}

function readKey(text: string): RestoreKey {
  if (text.trim() === '') {
    throw new McprtError('drill-usage', {
      what: 'there is no restore key',
      why: 'a drill decrypts a backup, and takes no key from the command line, where every process sees it',
      next: 'give the restore key of the set that made the backup as `restore-key`: docs/keys.md',
    });
  }
  return readRestoreKey(text, () => undefined);
}
