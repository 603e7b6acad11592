import { ApiError } from '../shared/cluster/api-error.js';
import type { Cluster } from '../shared/cluster/cluster.js';
import { recordsAt, textAt } from '../shared/cluster/fields.js';
import { kinds } from '../shared/cluster/objects.js';
import { managedBy } from '../shared/permissions/manifest.js';
import { accountNamespace, accountOf } from '../shared/permissions/operations.js';
import { userOf } from './authentication.js';
import { ownerOf } from './bindings.js';
import type { Environment } from './environments.js';

/** Somebody who is bound to an operation of ours. */
export interface Bound {
  /** Name of the binding. */
  binding: string;
  kind: string;
  name: string;
}

/** Who is let into a cluster for a repository's jobs; undefined where that may not be asked. */
export async function observeBound(cluster: Cluster, repository: string): Promise<Bound[] | undefined> {
  const labelSelector = Object.entries(managedBy)
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
  try {
    const [bindings, accounts] = await Promise.all([
      cluster.list(kinds.clusterRoleBinding, { labelSelector }),
      cluster.list(kinds.serviceAccount, { namespace: accountNamespace }),
    ]);
    // An account that is marked for another repository lets in the jobs of that one.
    const ours = accounts.items.filter((one) => [undefined, repository.toLowerCase()].includes(ownerOf(one)));
    const names = ours.map(({ metadata }) => metadata.name);
    return bindings.items
      .flatMap((one) =>
        recordsAt(one, 'subjects').map((subject) => ({
          binding: one.metadata.name,
          kind: textAt(subject, 'kind'),
          name: textAt(subject, 'name'),
        })),
      )
      .filter(({ kind, name }) => kind !== 'ServiceAccount' || names.includes(name));
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

/** Whether the jobs of an environment are let in for what they do, by their identity or by an account. */
export function isLetIn(
  { name, operation }: Pick<Environment, 'name' | 'operation'>,
  repository: string,
  bound: readonly Bound[],
): boolean {
  if (operation === undefined) return false;
  const account = accountOf(operation);
  return bound.some(
    (one) =>
      one.binding === account &&
      (one.kind === 'ServiceAccount' ? one.name === account : one.name === userOf(repository, name)),
  );
}
