import { type Cluster, openCluster } from './cluster.js';
import { type Credentials, loadCredentials } from './credentials.js';
import { openTransport } from './transport.js';

const callDeadline = 60_000;

/** Opens the cluster that credentials lead to. No call is made yet. */
export function connect(
  credentials: Credentials,
  { proxy }: { proxy?: { httpsProxy?: string; noProxy?: string } } = {},
): Cluster {
  return openCluster(
    openTransport(credentials, { userAgent: 'mcprt', deadline: callDeadline, ...(proxy ? { proxy } : {}) }),
  );
}

/** Opens the cluster that a kubeconfig's current context names, for commands that run on somebody's own machine. */
export async function connectWithKubeconfig(
  kubeconfig: string,
): Promise<{ cluster: Cluster; credentials: Credentials }> {
  const credentials = await loadCredentials(kubeconfig, { trusted: false });
  return { cluster: connect(credentials), credentials };
}
