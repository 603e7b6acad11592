import pMap from 'p-map';
import { type Cluster, isConflict, type PatchOperation, type WriteOptions } from '../cluster/cluster.js';
import type { KubeObject } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { hasRole, kindOf, type Role } from '../facts/roles.js';
import { asSecret, caretakerOf, type LiveSecret } from '../facts/secrets.js';
import { asWritten, type DecideContext, type Decision, decide } from './decide.js';
import type { PlanLine } from './restore-plan.js';

/** What became of one plan line. */
export interface Applied {
  subject: string;
  action: Decision['action'];
  reason: string;
  /** For `add-keys`: the keys that were added. */
  keys?: readonly string[];
}

/** Roles that are written at the same time; a wave begins when the one before is done. An object goes with its first role. */
const waves: readonly (readonly Role[])[] = [
  ['namespace'],
  ['account-key', 'issuer-secret', 'ca-key', 'keystore-password'],
  ['tls', 'platform-secret', 'platform-config'],
];

const parallelWrites = 16;
const attempts = 5;

/**
 * Writes what a plan says, wave by wave. Each write is conditional on what the plan was made from; when somebody else
 * was faster, the object is read and decided about again, with the same rules.
 *
 * @param on `onWrite` is told of each line when it is done, for progress; `onNamespaces` when namespaces are there
 * @throws McprtError `restore-contended`, `restore-refused`, ApiError
 */
export async function applyPlan(
  cluster: Cluster,
  lines: readonly PlanLine[],
  context: DecideContext & { live: (line: PlanLine) => LiveSecret | undefined },
  { onWrite, onNamespaces }: { onWrite: (applied: Applied) => void; onNamespaces: () => Promise<void> },
  signal: AbortSignal,
): Promise<Applied[]> {
  const done: Applied[] = [];
  for (const wave of waves) {
    const due = lines.filter(({ item }) => item.roles[0] !== undefined && wave.includes(item.roles[0]));
    const applied = await pMap(
      due,
      async (line) => {
        signal.throwIfAborted();
        const result = await applyLine(cluster, line, context);
        onWrite(result);
        return result;
      },
      { concurrency: parallelWrites },
    );
    done.push(...applied);
    if (wave.includes('namespace')) await onNamespaces();
  }
  return done;
}

/**
 * Reads back everything that a restore has written and compares it with the backup.
 *
 * @returns subjects that are not as they were written, with what differs
 */
export async function readBack(
  cluster: Cluster,
  lines: readonly PlanLine[],
  applied: readonly Applied[],
): Promise<string[]> {
  const written = new Map(applied.map((one) => [one.subject, one]));
  const problems = await pMap(
    lines.filter(({ item }) => !hasRole(item, 'namespace')),
    async ({ item, subject }) => {
      const result = written.get(subject);
      const wanted = result === undefined ? {} : dataWritten(item, result);
      if (Object.keys(wanted).length === 0 && result?.action !== 'create') return [];
      const found = await cluster.get(kindOf(item), item.object.metadata);
      if (found === undefined) return [`${subject} is gone`];
      // It came from where the object is looked after, and wins.
      if (caretakerOf(found) !== undefined) return [];
      const present = asSecret(found).data ?? {};
      const different = Object.keys(wanted).filter((key) => present[key] !== wanted[key]);
      return different.length === 0 ? [] : [`${subject} has another ${different.join(', ')} than was written`];
    },
    { concurrency: parallelWrites },
  );
  return problems.flat();
}

/** The values that a line has written. */
function dataWritten(item: PlanLine['item'], { action, keys = [] }: Applied): Record<string, string> {
  const data = asSecret(asWritten(item, action)).data ?? {};
  if (action === 'create' || action === 'replace') return { ...data };
  return Object.fromEntries(keys.flatMap((key) => (data[key] === undefined ? [] : [[key, data[key]]])));
}

async function applyLine(
  cluster: Cluster,
  line: PlanLine,
  context: DecideContext & { live: (line: PlanLine) => LiveSecret | undefined },
): Promise<Applied> {
  const { item, subject } = line;
  const kind = kindOf(item);
  let decision: Decision = line;
  let live = context.live(line);
  for (let attempt = 1; ; attempt++) {
    try {
      await write(cluster, line, decision, live);
      const { action, reason, keys } = decision;
      return { subject, action, reason, ...(action === 'add-keys' && keys !== undefined ? { keys } : {}) };
    } catch (error) {
      if (!isConflict(error)) throw error;
      if (attempt === attempts) {
        throw new McprtError('restore-contended', {
          what: `${subject} is changed by something else as fast as it is restored`,
          why: error.detail,
          next: 'find out what writes it (`kubectl get … --show-managed-fields`), stop it, and run the restore again',
          cause: error,
        });
      }
      const found = await cluster.get<KubeObject>(kind, item.object.metadata);
      live = found === undefined ? undefined : asSecret(found);
      decision = decide(item, live, context);
      if (decision.action === 'refuse') throw refusedMeanwhile(subject, decision.reason, error);
    }
  }
}

/** The plan had no such line: without this, what was not restored would count as done. */
function refusedMeanwhile(subject: string, reason: string, cause: unknown): McprtError {
  return new McprtError('restore-refused', {
    what: `${subject} cannot be restored: something else came first`,
    why: reason,
    next: 'resolve what the line says, and run the restore again: what is written stays',
    cause,
  });
}

/** Writes one line, or asks with `dryRun` whether it could be written; keys that are added are not asked about. */
export async function write(
  cluster: Cluster,
  { item }: PlanLine,
  decision: Decision,
  live: LiveSecret | undefined,
  options: WriteOptions = {},
): Promise<void> {
  const kind = kindOf(item);
  const object = asWritten(item, decision.action);
  if (decision.action === 'create') {
    await cluster.create(kind, object, options);
  } else if (decision.action === 'replace') {
    // The version makes it fail when the Secret has changed since the decision; force, because it is known to be useless.
    const resourceVersion = live?.metadata.resourceVersion ?? '';
    const versioned = { ...object, metadata: { ...object.metadata, resourceVersion } };
    await cluster.apply(kind, versioned, { ...options, force: true });
  } else if (decision.action === 'add-keys') {
    const wanted = asSecret(object).data ?? {};
    const whole: PatchOperation[] = live?.data === undefined ? [{ op: 'add', path: '/data', value: {} }] : [];
    await cluster.patch(kind, item.object.metadata, [
      { op: 'test', path: '/metadata/resourceVersion', value: live?.metadata.resourceVersion },
      ...whole,
      ...(decision.keys ?? []).map((key): PatchOperation => ({ op: 'add', path: `/data/${key}`, value: wanted[key] })),
    ]);
  }
}
