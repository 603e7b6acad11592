import type { Cluster } from '../cluster/cluster.js';
import { McprtError } from '../errors.js';
import { type OperationName, rulesOf } from './operations.js';
import { lackingOf } from './review.js';
import { type Demand, demandsOf, includes, type PermissionRule, wordsOf } from './rule.js';

export interface GuardOptions {
  /** The operation, and the options that need more. */
  names: readonly [OperationName, ...OperationName[]];
  /** Demands only these of their rules. */
  rules?: readonly PermissionRule[];
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
  { names, rules = rulesOf(...names), essential, warn }: GuardOptions,
): Promise<void> {
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
  return `grant them: run \`init --accounts\` again, or, where the access is of your own making, \`kubectl apply --server-side -f\` ${files}, which has exactly these. A Role goes with its namespace in a wipe, and is then to be granted again`;
}
