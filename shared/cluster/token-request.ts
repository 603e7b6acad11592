import type { Cluster } from './cluster.js';
import { textAt } from './fields.js';
import type { Kind, KubeObject } from './objects.js';

/**
 * Asks the API server for a token of a ServiceAccount. No Secret holds it.
 *
 * @param seconds how long it is to live; the API server may give a shorter life
 * @returns the token, empty where the answer holds none, and when it ends
 * @throws ApiError 404 where the account is not there
 */
export async function requestToken(
  cluster: Cluster,
  account: { namespace: string; name: string },
  seconds: number,
): Promise<{ token: string; ends: Date }> {
  const kind: Kind = {
    kind: 'TokenRequest',
    group: '',
    version: 'v1',
    plural: `serviceaccounts/${account.name}/token`,
    namespaced: true,
  };
  const { status } = await cluster.create<KubeObject>(kind, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: kind.kind,
    metadata: account,
    spec: { expirationSeconds: seconds },
  });
  return { token: textAt(status, 'token'), ends: new Date(textAt(status, 'expirationTimestamp')) };
}
