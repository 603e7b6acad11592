import { type Cluster, openCluster } from './cluster.js';
import { type Credentials, loadCredentials } from './credentials.js';
import { openTransport } from './transport.js';

export interface ConnectOptions {
  /** Path, text or base64 of a kubeconfig. */
  kubeconfig: string;
  trusted?: boolean;
  proxy?: { httpsProxy?: string; noProxy?: string };
  /** Called with the credentials' secret leaves before any of them is used, so that they can be masked. */
  onSecrets?: (secrets: string[]) => void;
}

const callDeadline = 60_000;

/** Opens the cluster that a kubeconfig's current context names. No call is made yet. */
export async function connect(options: ConnectOptions): Promise<{ cluster: Cluster; credentials: Credentials }> {
  const credentials = await loadCredentials(options.kubeconfig, { trusted: options.trusted ?? false });
  options.onSecrets?.(credentials.secrets);
  const transport = openTransport(credentials, {
    userAgent: 'mcprt',
    deadline: callDeadline,
    ...(options.proxy ? { proxy: options.proxy } : {}),
  });
  return { cluster: openCluster(transport), credentials };
}
