import type { Proxies } from '../proxy.js';
import { type Cluster, openCluster } from './cluster.js';
import { type Credentials, loadCredentials } from './credentials.js';
import { openTransport } from './transport.js';

const callDeadline = 60_000;

export interface ConnectOptions {
  proxies?: Proxies;
  /** A question to the cluster, which gates everything else as `openCluster` says. */
  ask?: (cluster: Cluster) => Promise<void>;
}

/** Opens the cluster that credentials lead to. No call is made yet but the question. */
export function connect(credentials: Credentials, { proxies, ask }: ConnectOptions = {}): Cluster {
  const options = { userAgent: 'mcprt', deadline: callDeadline, ...(proxies && { proxies }) };
  const transport = openTransport(credentials, options);
  return openCluster(transport, ask?.(openCluster(transport)));
}

/** Opens the cluster that a kubeconfig's current context names, for commands that run on somebody's own machine. */
export async function connectWithKubeconfig(
  kubeconfig: string,
  options: ConnectOptions = {},
): Promise<{ cluster: Cluster; credentials: Credentials }> {
  const credentials = await loadCredentials(kubeconfig, { trusted: false });
  return { cluster: connect(credentials, options), credentials };
}
