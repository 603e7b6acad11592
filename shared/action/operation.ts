import type { Cluster } from '../cluster/cluster.js';
import type { Credentials } from '../cluster/credentials.js';
import { type GuardOptions, requirePermissions } from '../permissions/guard.js';
import type { OperationPorts } from '../ports.js';
import type { Stage } from '../profile/reference.js';
import type { RunContext } from '../run-context.js';
import { type ConnectionInputs, type ConnectionOptions, openConnection, openPostConnection } from './connection.js';
import { diagnoseFailure } from './diagnosis.js';
import { runContext } from './github.js';
import { log, setOutputs } from './log.js';
import type { Markdown } from './markdown.js';
import { mask } from './mask.js';
import { planSpelling } from './plan-output.js';
import { type ProfileInputs, readTarget, type Target } from './profile.js';
import { annotateError, reportError, runAction, Told, withDeadline } from './run.js';

/** Version of the output `result` of every action; it changes when a field changes its meaning or goes. */
export const resultSchema = 'mcprt.result/1';

/** The inputs that every action has. */
export interface OperationInputs extends ProfileInputs {
  operation: string;
  /** How long the operation may take, in ms. */
  timeout: number;
}

/** What is special about the way into an action. */
export interface Door<I extends OperationInputs> {
  /** Of the action, as its folder is called. */
  title: string;
  version: string;
  /** Which variables of the profile matter. */
  stage: Stage;
  /** Reads the inputs, which masks them, and refuses what does not go together. */
  read: () => I;
  /** Secrets of the inputs, in which no digest of a plan may be found again. */
  secrets?: (inputs: I) => string[];
  /** The word for an operation that must not run on the values of the committed template. */
  destructive?: (inputs: I) => string | undefined;
  /** By which inputs the cluster is reached; undefined for an operation without one. */
  connection: (inputs: I) => ConnectionInputs | undefined;
  /** What the credentials must allow. No answer of the cluster is given, and nothing is changed, before that is known. */
  permissions?: (inputs: I) => Omit<GuardOptions, 'warn'>;
  /** Whether the cluster is looked at when the operation has failed there. */
  diagnoses?: boolean;
  /** Tells nothing that the main step has told. */
  quiet?: boolean;
}

interface Connection {
  cluster: Cluster;
  credentials: Credentials;
  /** The answer about permissions, for whoever changes something elsewhere before it asks the cluster. */
  allowed: Promise<void>;
}

/** An operation that has been let in. */
export interface Opened<I> extends OperationPorts {
  inputs: I;
  target: Target;
  /** The cluster, or undefined for an operation without one. */
  connection: Connection | undefined;
  run: RunContext;
  env: NodeJS.ProcessEnv;
  /** What `warn` was told: whoever approves a plan looks at its summary, and not at the log. */
  warned: readonly string[];
  /** The digest of a plan as GitHub hands it on. */
  spelled: (digest: string) => string;
}

/** What an operation has to say at its end, also when it failed. */
export interface Report {
  outputs: Readonly<Record<string, string | number | boolean>>;
  /** More than the outputs say, for scripts. */
  details: Readonly<Record<string, unknown>>;
  summary: Markdown;
  /** What ended the operation; it is summed up already. */
  failure?: { error: unknown } | undefined;
  /** What is to be done when everything was told. */
  afterwards?: () => Promise<void>;
}

/**
 * The way into every action, and out of it: inputs, masks, target, cluster, permissions, deadline; then outputs, `result`,
 * summary and, where the operation failed, a diagnosis. The cluster is closed in any case.
 *
 * @param work does what the action is for. What it throws is annotated and summed up
 */
export async function runOperation<I extends OperationInputs>(
  door: Door<I>,
  work: (opened: Opened<I>) => Promise<Report | undefined>,
): Promise<void> {
  await runAction(door.title, async (cancelled) => {
    const { env } = process;
    const inputs = door.read();
    const spelled = planSpelling(door.secrets?.(inputs) ?? [], env);
    const destructive = door.destructive?.(inputs);
    const { stage, quiet = false } = door;
    const target = await readTarget(inputs, { stage, env, mask, quiet, ...(destructive ? { destructive } : {}) });
    const signal = withDeadline(cancelled, inputs.timeout);
    const wanted = door.connection(inputs);
    const connection =
      wanted && (await connected(door, inputs, wanted, { env, mask, profile: target.kubeconfig, quiet }));
    const warned: string[] = [];
    const warn = (line: string): void => {
      warned.push(line);
      log.warning(line);
    };
    const run = runContext(env, target.domain, `mcprt ${door.version}`);
    const told = { progress: log.info, warn, warned, mask, spelled };
    try {
      const report = await work({ inputs, target, connection, signal, run, env, ...told });
      if (report !== undefined) await tell(door.title, inputs.operation, report);
    } catch (error) {
      if (error instanceof Told || !door.diagnoses || connection === undefined) throw error;
      // What failed is told first, and is told even where there is no time left to look around.
      await reportError(door.title, error);
      await diagnoseFailure(error, connection.cluster, target, mask);
      throw new Told();
    } finally {
      await connection?.cluster.close();
    }
  });
}

/** The connection of an operation that has one by its door. */
export function connectionOf({ connection }: Pick<Opened<unknown>, 'connection'>): Connection {
  if (connection === undefined) throw new Error('an operation without a cluster asks for it');
  return connection;
}

/** Does something whose failure is to be reported with what came before it. */
export async function failureOf(work: () => Promise<void>): Promise<{ error: unknown } | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return { error };
  }
}

async function connected<I extends OperationInputs>(
  { permissions }: Door<I>,
  inputs: I,
  wanted: ConnectionInputs,
  options: ConnectionOptions,
): Promise<Connection> {
  let allowed = Promise.resolve();
  const ask = (cluster: Cluster): Promise<void> => {
    if (permissions !== undefined) allowed = requirePermissions(cluster, { ...permissions(inputs), warn: log.warning });
    return allowed;
  };
  const opened = await openConnection(wanted, { ...options, ask });
  return { ...opened, allowed };
}

async function tell(action: string, operation: string, report: Report): Promise<void> {
  const { outputs, details, summary, failure, afterwards } = report;
  setOutputs({
    ...outputs,
    result: JSON.stringify({ schema: resultSchema, action, operation, ...outputs, ...details }),
  });
  await summary.write();
  await afterwards?.();
  if (failure === undefined) return;
  annotateError(action, failure.error);
  throw new Told();
}

/**
 * The way into a post step, which reads no more of the inputs than it needs: files of the job may be gone by now.
 *
 * @param refusal what is said when the step could not do its work
 */
export async function runPostStep(
  stage: Stage,
  refusal: (cause: unknown) => Error,
  work: (opened: { cluster: Cluster; run: RunContext }) => Promise<void>,
): Promise<void> {
  try {
    const { cluster, target } = await openPostConnection(stage);
    try {
      await work({ cluster, run: runContext(process.env, target?.domain ?? '', 'mcprt') });
    } finally {
      await cluster.close();
    }
  } catch (cause) {
    throw refusal(cause);
  }
}
