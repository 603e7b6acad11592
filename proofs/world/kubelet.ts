import type { LabState } from '../../lab/driver/lab.js';
import type { Registry } from '../../lab/driver/registry.js';
import { type Kubelet, startKubelet } from '../../lab/platform/kubelet/kubelet.js';
import { pathOf } from '../../shared/cluster/cluster.js';
import { loadCredentials } from '../../shared/cluster/credentials.js';
import { textAt } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { openTransport } from '../../shared/cluster/transport.js';
import type { Api } from './api.js';
import type { Base } from './base.js';
import type { Made } from './part.js';
import { registryHost } from './registry.js';

/** Another registry than the platform's, of which an action knows nothing before the nodes ask it. */
export const otherRegistryHost = 'images.example.org';
export const nodeName = 'lab-worker';

/** The node on which pods are from now on: its kubelet stand-in pulls from the registry. */
export interface Nodes extends Omit<Kubelet, 'httpStatus'> {
  /** The status that the programs of a workload answer with; undefined for the usual one. */
  httpStatus(namespace: string, app: string): Promise<number | undefined>;
  /** Has programs that really run be asked first. */
  askFirst(ask: Nodes['httpStatus']): void;
  /** Whether a registry's user may pull. */
  mayPull(username: string, password: string): Promise<boolean>;
  /** A further node with a kubelet stand-in. */
  addNode(name: string): Promise<Kubelet>;
  /** Whether the registry turns the nodes away, as it does when their password has expired. */
  refuse(isRefused: boolean): void;
  /** Takes a pod away at once, as a kubelet may. */
  remove(pod: KubeObject): Promise<void>;
}

/** Starts the kubelet stand-in. @param api what lets the nodes into the registry; without it the platform's Secret does */
export async function makeNodes(
  { cluster, state }: Base,
  registry: Registry,
  api: Api | undefined,
): Promise<Made<Nodes>> {
  // From here on the scheduler has the kubelet stand-in's node only.
  await cluster.patch(kinds.node, { name: 'lab-node' }, [{ op: 'add', path: '/spec/unschedulable', value: true }]);
  const isAllowed = api === undefined ? await byItsSecret({ cluster }) : byTheApi(api);
  const { remove, close } = await remover(state);
  let isRefused = false;
  const authorise = async (username: string, password: string): Promise<boolean> =>
    !isRefused && isAllowed(username, password);
  const registries = new Map([
    [registryHost, { url: registry.url, authorise }],
    [otherRegistryHost, { url: registry.url, authorise: async () => true }],
  ]);
  const addNode = (node: string): Promise<Kubelet> => startKubelet(cluster, { node, registries, remove });
  const kubelet = await addNode(nodeName);
  const refuse = (refused: boolean): void => {
    isRefused = refused;
  };
  let asked: Nodes['httpStatus'] = async () => undefined;
  return {
    part: {
      ...kubelet,
      httpStatus: async (namespace, app) => (await asked(namespace, app)) ?? kubelet.httpStatus(namespace, app),
      askFirst: (ask) => {
        asked = ask;
      },
      mayPull: authorise,
      addNode,
      refuse,
      remove,
    },
    async close() {
      await kubelet.close();
      await close();
    },
  };
}

type MayPull = (username: string, password: string) => Promise<boolean>;

const byTheApi =
  ({ authorise }: Api): MayPull =>
  async (username, password) =>
    (await authorise(username, password)) === 'allowed';

/** Who may use the registry: as the platform's API, which compares with its Secret as it was at its start. */
export async function byItsSecret({ cluster }: Pick<Base, 'cluster'>): Promise<MayPull> {
  const ref = { namespace: 'mcp-sentinel', name: 'mcp-sentinel-secrets' };
  const secret = await cluster.get<KubeObject>(kinds.secret, ref);
  const key = Buffer.from(textAt(secret, 'data', 'UI_API_KEY'), 'base64').toString('utf8');
  return async (username, password) => username === 'platform-service' && password === key && key !== '';
}

/** Deletes pods at once, as their kubelet may. */
async function remover(state: LabState): Promise<Pick<Nodes, 'remove' | 'close'>> {
  const credentials = await loadCredentials(state.kubeconfig, { trusted: false });
  const transport = openTransport(credentials, { userAgent: 'kubelet-stand-in', deadline: 20_000 });
  return {
    async remove(pod) {
      const body = JSON.stringify({ gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } });
      await transport.call({ method: 'DELETE', path: pathOf(kinds.pod, pod.metadata), body });
    },
    close: () => transport.close(),
  };
}
