import type { Cluster } from '../cluster/cluster.js';
import { McprtError } from '../errors.js';
import { type OperationName, rulesOf } from './operations.js';
import { lackingOf } from './review.js';
import { type Demand, demandsOf, includes, type PermissionRule, readsOf, wordsOf } from './rule.js';

export interface GuardOptions {
  /** The operation, and the options that need more. */
  names: readonly [OperationName, ...OperationName[]];
  /** Demands only what reads. */
  dryRun: boolean;
  /** Ends the operation only where one of these is lacking: the rest is told among its findings. */
  essential?: readonly PermissionRule[];
  warn: (line: string) => void;
}

/**
 * Asks whether the credentials may do all that an operation does.
 *
 * @throws McprtError `permission-missing`, with everything that is missing
 */
export async function requirePermissions(
  cluster: Cluster,
  { names, dryRun, essential, warn }: GuardOptions,
): Promise<void> {
  const rules: readonly PermissionRule[] = dryRun ? readsOf(rulesOf(...names)) : rulesOf(...names);
  const lacking = await lackingOf(cluster, rules);
  if (lacking === undefined) {
    warn('the API server does not tell what these credentials may do: what they lack is found out on the way');
    return;
  }
  const ends = essential === undefined ? lacking : lacking.filter(isOneOf(essential));
  if (ends.length > 0) throw missing(lacking, names);
}

function isOneOf(rules: readonly PermissionRule[]): (demand: Demand) => boolean {
  const demands = rules.flatMap(demandsOf);
  return (lacking) => demands.some((one) => includes(lacking, one) || includes(one, lacking));
}

/** @returns the error that names each verb that is missing, and what grants it */
export function missing(lacking: readonly Demand[], names: readonly OperationName[]): McprtError {
  return new McprtError('permission-missing', {
    what: `the credentials lack ${lacking.length} of the permissions that this operation needs; nothing was changed`,
    why: lacking.map(wordsOf).join('\n'),
    next: adviceFor(names),
  });
}

/** What grants an operation what it needs. */
export function adviceFor(names: readonly OperationName[]): string {
  const files = names.map((name) => `docs/rbac/${name}.yaml`).join(' and ');
  return `grant them: ${files} has exactly these (\`kubectl apply -f\`); a Role goes with its namespace in a wipe, and is then to be applied again`;
}

/**
 * The cluster behind a question about its permissions: reads are sent at once, beside the question, and nobody learns an
 * answer before the question is answered; nothing is written before. So the question costs no time, and an operation
 * cannot get anywhere without it.
 *
 * @param allowed the question; its error is what every call fails with
 */
export function guarded(cluster: Cluster, allowed: Promise<void>): Cluster {
  // Also one that asks the cluster for nothing must not end the process by it.
  allowed.catch(() => undefined);
  const read = async <T>(answer: Promise<T>): Promise<T> => {
    answer.catch(() => undefined);
    await allowed;
    return answer;
  };
  const write = async <T>(send: () => Promise<T>): Promise<T> => {
    await allowed;
    return send();
  };
  return {
    get: (kind, ref) => read(cluster.get(kind, ref)),
    list: (kind, options) => read(cluster.list(kind, options)),
    create: (kind, object, options) => write(() => cluster.create(kind, object, options)),
    apply: (kind, object, options) => write(() => cluster.apply(kind, object, options)),
    patch: (kind, ref, operations, subresource) => write(() => cluster.patch(kind, ref, operations, subresource)),
    replace: (kind, object, subresource) => write(() => cluster.replace(kind, object, subresource)),
    delete: (kind, ref, options) => write(() => cluster.delete(kind, ref, options)),
    async *watch(kind, options) {
      await allowed;
      yield* cluster.watch(kind, options);
    },
    logs: (pod, options) => read(cluster.logs(pod, options)),
    webSocket: (pod, subresource, protocol) => write(() => cluster.webSocket(pod, subresource, protocol)),
    refusal: (pod, subresource) => read(cluster.refusal(pod, subresource)),
    groups: () => read(cluster.groups()),
    version: () => read(cluster.version()),
    serverTime: () => cluster.serverTime(),
    get calls() {
      return cluster.calls;
    },
    get writes() {
      return cluster.writes;
    },
    close: () => cluster.close(),
  };
}
