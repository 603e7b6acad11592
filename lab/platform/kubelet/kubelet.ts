import { createServer } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, objectOf } from '../../../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { type Listening, listenOnLoopback } from '../../driver/loopback.js';
import { nodeObject } from '../../driver/node-object.js';
import { makeServerCertificate } from '../certificate-authority.js';
import { type PodLife, startPod } from './pod.js';
import type { Ending, PodPorts } from './ports.js';
import type { NodeRegistry, PulledImage } from './pull.js';

export interface KubeletOptions {
  /** Name of its node. */
  node: string;
  /** Registries whose images are really pulled, by host. */
  registries: ReadonlyMap<string, NodeRegistry>;
  /** Ends a pod at once: a Cluster's own deletion waits for the kubelet, which this is. */
  remove(pod: KubeObject): Promise<void>;
}

/** A pod of a kubelet stand-in. */
export interface RunningPod {
  namespace: string;
  name: string;
  uid: string;
  labels: Readonly<Record<string, string>>;
  /** When it was made. */
  made: string;
  ready: boolean;
  containers: readonly { name: string; imageLabels: Readonly<Record<string, string>> }[];
}

/** A kubelet stand-in that runs. */
export interface Kubelet {
  /** The status that the programs of a workload answer with by their image's label; undefined for the usual one. */
  httpStatus(namespace: string, app: string): number | undefined;
  pods(): RunningPod[];
  /** Stops telling the cluster that its node lives, as a node does that has lost its power. Its pods stay as they are. */
  stopHeartbeat(): void;
  /** Has the node end the next pods of a workload, by their label `app`: evicted, or turned away. */
  endNext(app: string, count: number, ending: Ending): void;
  close(): Promise<void>;
}

const lease = { namespace: 'kube-node-lease', seconds: 40, every: 3_000 };

/**
 * Stands in for a kubelet on a node of its own: really pulls images from the lab's registry and shows to the API what a
 * kubelet with containerd shows, but runs nothing. How a container behaves is told by its image's labels; see
 * `container.ts`. kwok leaves this node alone.
 */
export async function startKubelet(cluster: Cluster, options: KubeletOptions): Promise<Kubelet> {
  const { node, registries } = options;
  const ended = new AbortController();
  const lives = new Map<string, PodLife>();
  const images = new Map<string, PulledImage>();
  const logs = await serveLogs(lives);
  await cluster.apply(kinds.node, nodeObject(node), { manager: 'lab' });
  await reportReady(cluster, node, logs.port);
  let beats = true;
  const dead = new AbortController();
  const heart = (async () => {
    while (beats && !ended.signal.aborted) {
      await renew(cluster, node).catch(() => undefined);
      await sleep(lease.every, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  })();
  const endings = new Map<string, { left: number; ending: Ending }>();
  const ending: PodPorts['ending'] = ({ metadata }) => {
    const found = endings.get(metadata.labels?.app ?? '');
    if (found === undefined || found.left === 0) return undefined;
    found.left -= 1;
    return found.ending;
  };
  const ports: PodPorts = { cluster, node, registries, images, ending, remove: options.remove };
  const watching = follow(cluster, node, lives, ports, AbortSignal.any([ended.signal, dead.signal]));
  return {
    httpStatus: (namespace, app) =>
      [...lives.values()]
        .find(
          ({ pod, httpStatus }) =>
            pod.metadata.namespace === namespace && pod.metadata.labels?.app === app && httpStatus() !== undefined,
        )
        ?.httpStatus(),
    pods: () =>
      [...lives.values()].map(({ pod: { metadata }, ready, containers }) => ({
        namespace: metadata.namespace ?? '',
        name: metadata.name,
        uid: metadata.uid ?? '',
        labels: metadata.labels ?? {},
        made: metadata.creationTimestamp ?? '',
        ready: ready(),
        containers: containers(),
      })),
    endNext: (app, left, how) => void endings.set(app, { left, ending: how }),
    stopHeartbeat() {
      beats = false;
      // A node without power does not go on with its pods either, and starts no others.
      dead.abort();
      for (const life of lives.values()) life.freeze();
    },
    async close() {
      ended.abort();
      for (const life of lives.values()) life.freeze();
      await Promise.all([heart, watching]);
      await logs.close();
    },
  };
}

async function follow(
  cluster: Cluster,
  node: string,
  lives: Map<string, PodLife>,
  ports: PodPorts,
  signal: AbortSignal,
): Promise<void> {
  const fieldSelector = `spec.nodeName=${node}`;
  const seen = (pod: KubeObject): void => {
    const uid = pod.metadata.uid ?? '';
    const life = lives.get(uid);
    if (life === undefined) {
      if (pod.metadata.deletionTimestamp === undefined) lives.set(uid, startPod(pod, ports));
      else void ports.remove(pod).catch(() => undefined);
    } else if (pod.metadata.deletionTimestamp !== undefined) {
      life.end(pod);
    }
  };
  while (!signal.aborted) {
    try {
      const { items, resourceVersion } = await cluster.list(kinds.pod, { fieldSelector });
      const there = new Set(items.map(({ metadata }) => metadata.uid));
      for (const [uid, life] of lives) {
        if (there.has(uid)) continue;
        life.freeze();
        lives.delete(uid);
      }
      items.forEach(seen);
      for await (const { type, object } of cluster.watch(kinds.pod, { fieldSelector, resourceVersion, signal })) {
        if (type !== 'DELETED') {
          seen(object);
          continue;
        }
        lives.get(object.metadata.uid ?? '')?.freeze();
        lives.delete(object.metadata.uid ?? '');
      }
    } catch {
      // The API server restarts in some proofs: the list says what has changed meanwhile.
    }
    await sleep(100, undefined, { signal }).catch(() => undefined);
  }
}

async function reportReady(cluster: Cluster, name: string, port: number): Promise<void> {
  const resources = { cpu: '32', memory: '128Gi', pods: '10k', 'ephemeral-storage': '1Ti' };
  const now = new Date().toISOString();
  const condition = (type: string, status: string, reason: string): Record<string, string> => ({
    type,
    status,
    reason,
    message: reason,
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  });
  const status = {
    addresses: [
      { type: 'InternalIP', address: '127.0.0.1' },
      { type: 'Hostname', address: name },
    ],
    allocatable: resources,
    capacity: resources,
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
    nodeInfo: {
      architecture: 'amd64',
      operatingSystem: 'linux',
      kubeletVersion: 'v1.36.4+k3s1',
      containerRuntimeVersion: 'containerd://2.3.4-k3s1.36',
      bootID: '',
      kernelVersion: '6.1.0',
      kubeProxyVersion: '',
      machineID: '',
      osImage: 'kubelet stand-in',
      systemUUID: '',
    },
    conditions: [
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
      condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID'),
      condition('Ready', 'True', 'KubeletReady'),
    ],
  };
  await renew(cluster, name);
  await cluster.patch(kinds.node, { name }, [{ op: 'add', path: '/status', value: status }], 'status');
}

async function renew(cluster: Cluster, node: string): Promise<void> {
  const spec = {
    holderIdentity: node,
    leaseDurationSeconds: lease.seconds,
    renewTime: new Date().toISOString().replace('Z', '000Z'),
  };
  const object = objectOf(kinds.lease, { metadata: { namespace: lease.namespace, name: node }, spec });
  await cluster.apply(kinds.lease, object, { force: true, manager: 'lab' });
}

/** Serves containers' logs as a kubelet does, for `kubectl logs` and whoever else asks the API server. */
async function serveLogs(lives: ReadonlyMap<string, PodLife>): Promise<Listening> {
  const own = await makeServerCertificate(['kubelet stand-in']);
  const server = createServer({ cert: own.certificate, key: own.key }, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://kubelet');
    const [, , namespace, name, container = ''] = url.pathname.split('/');
    const life = [...lives.values()].find(
      ({ pod }) => pod.metadata.namespace === namespace && pod.metadata.name === name,
    );
    const text = life?.log(container, url.searchParams.get('previous') === 'true');
    if (!url.pathname.startsWith('/containerLogs/') || text === undefined) {
      response.writeHead(404).end('not found');
      return;
    }
    const lines = text.trimEnd().split('\n');
    const tail = Number(url.searchParams.get('tailLines') ?? lines.length);
    response.writeHead(200, { 'content-type': 'text/plain' }).end(`${lines.slice(-tail).join('\n')}\n`);
  });
  return listenOnLoopback(server);
}
