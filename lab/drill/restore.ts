import * as z from 'zod';
import { McprtError } from '../../shared/errors.js';
import { parsedJson } from '../../shared/json.js';
import { type ActionRun, runBundle } from '../driver/action.js';
import type { OpenedBackup } from './sealed.js';

const forecastShape = z.looseObject({
  namespace: z.string(),
  name: z.string(),
  verdict: z.enum(['keep', 'order', 'blocked', 'not-owner']),
  reason: z.string(),
  message: z.string(),
  excused: z.enum(['renewal', 'standing', 'before']).optional(),
  /** When it is to be renewed. */
  due: z.iso.datetime().optional(),
});
const lineShape = z.looseObject({ subject: z.string(), action: z.string(), reason: z.string() });
const resultShape = z.looseObject({
  schema: z.literal('mcprt.result/1'),
  forecast: z.array(forecastShape),
  objects: z.array(lineShape),
});

/** What the restore expects of one Certificate, in its own words. */
export type ForecastLine = z.infer<typeof forecastShape>;

/** What the shipped restore did in the lab. */
export interface Restored {
  forecast: ForecastLine[];
  /** What became of each object of the backup. */
  objects: z.infer<typeof lineShape>[];
  /** Whether it refused the backup, and wrote nothing. The forecast and the objects are then those of its plan. */
  isRefused: boolean;
  seconds: number;
}

export interface RestoreRun {
  kubeconfig: string;
  directory: string;
  restoreKey: string;
  maxAge: string;
  fromRepository: string;
  /** Whether it was named, and not the newest. */
  isNamed: boolean;
  /** Private: the bundle's temporary files are below it. */
  folder: string;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/**
 * Restores a backup with the shipped bundle, as a job would after its cluster was lost. Orders are allowed: nothing is at
 * stake in a lab, and what cert-manager really does says more than a forecast.
 *
 * @throws McprtError `drill-restore` with the reason that the restore gave; the signal's reason
 */
export async function restoreInto(backup: OpenedBackup, run: RestoreRun): Promise<Restored> {
  const restored = await act('restore', backup, run);
  if (restored.error !== 'restore-refused') return { ...reportOf(restored), isRefused: false };
  return { ...reportOf(await act('plan', backup, run)), isRefused: true };
}

async function act(operation: string, { name, context }: OpenedBackup, run: RestoreRun): Promise<ActionRun> {
  const { env, signal } = run;
  let stop = (): void => undefined;
  signal.throwIfAborted();
  try {
    return await runBundle({
      entry: 'backup',
      folder: run.folder,
      inputs: {
        operation,
        kubeconfig: run.kubeconfig,
        domain: context.domain,
        'restore-key': run.restoreKey,
        stores: 'directory',
        directory: run.directory,
        // Where somebody has named one, its age is no matter: a restore of the newest says so when it is too old.
        name: run.isNamed ? name : '',
        'from-cluster': context.fingerprint,
        'from-repository': run.fromRepository,
        'max-orders': '999999',
        'max-age': run.maxAge,
      },
      env: {
        // On a machine that is no runner, the signature alone says whose backup it is.
        GITHUB_REPOSITORY: env.GITHUB_REPOSITORY || context.repository,
        GITHUB_REPOSITORY_ID: env.GITHUB_REPOSITORY_ID || context.repositoryId,
        GITHUB_RUN_ID: env.GITHUB_RUN_ID || '0',
        GITHUB_RUN_ATTEMPT: env.GITHUB_RUN_ATTEMPT || '1',
        GITHUB_JOB: 'drill',
      },
      onStart(pid) {
        stop = () => {
          try {
            process.kill(pid, 'SIGTERM');
          } catch {
            // it ended between the signal and this
          }
        };
        signal.addEventListener('abort', stop, { once: true });
      },
    });
  } finally {
    signal.removeEventListener('abort', stop);
    signal.throwIfAborted();
  }
}

function reportOf(run: ActionRun): Omit<Restored, 'isRefused'> {
  const parsed = resultShape.safeParse(parsedJson(run.outputs.result ?? ''));
  if (run.code === 0 && parsed.success) {
    return { forecast: parsed.data.forecast, objects: parsed.data.objects, seconds: run.seconds };
  }
  const { what, why, next } = annotationIn(run.log);
  throw new McprtError('drill-restore', {
    what: `the backup cannot be restored: ${what}`,
    why: `${run.error ?? `exit ${run.code ?? run.signal}`}: ${why}`,
    next,
  });
}

/** The error of an action's log, taken apart. The log itself is not told: it has lines that name secrets. */
export function annotationIn(log: string): { what: string; why: string; next: string } {
  const [, text = ''] = /^::error title=[^:]*::(.*)$/m.exec(log) ?? [];
  const lines = text.replaceAll('%0A', '\n').replaceAll('%0D', '\r').replaceAll('%25', '%');
  const [, what, why, next] = /^([\s\S]*?)\nwhy: ([\s\S]*?)\nnext: ([\s\S]*?)(?:\nmore: |$)/.exec(lines) ?? [];
  return {
    what: what ?? (lines || 'the restore ended without a word'),
    why: why ?? 'it gave no reason',
    next: next ?? 'run `operation: plan` of action-backup with the same backup, and see its log',
  };
}
