import { type Cluster, openCluster } from '../../shared/cluster/cluster.js';
import { loadCredentials } from '../../shared/cluster/credentials.js';
import { type Method, openTransport } from '../../shared/cluster/transport.js';

/** A real cluster that can be read only, and every call to it that was not a read. */
export interface Recorded {
  cluster: Cluster;
  /** `POST /api/v1/…`: what must stay empty. */
  writes: string[];
}

/** Opens the cluster of a kubeconfig so that a write is noted and not done: the next case finds it as it was. */
export async function recordingCluster(kubeconfig: string): Promise<Recorded> {
  const credentials = await loadCredentials(kubeconfig, { trusted: false });
  const transport = openTransport(credentials, { userAgent: 'mcprt-proof', deadline: 30_000 });
  const writes: string[] = [];
  const note = (method: Method, path: string): void => {
    if (method === 'GET') return;
    writes.push(`${method} ${path}`);
    throw new Error(`${method} was tried`);
  };
  const cluster = openCluster({
    ...transport,
    call(call) {
      note(call.method, call.path);
      return transport.call(call);
    },
    lines(call) {
      note(call.method, call.path);
      return transport.lines(call);
    },
    get calls() {
      return transport.calls;
    },
  });
  return { cluster, writes };
}
