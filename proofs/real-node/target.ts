import { request } from 'node:http';
import { realNodeTaint } from '../../lab/driver/node.js';
import { applyObject } from '../../lab/platform/objects.js';
import { putRunnable, type Runnable } from '../../lab/platform/runnable-image.js';
import { at, recordsAt, textAt } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { isRecord } from '../../shared/json.js';
import { namespace, target, type World } from '../rollout-failures/support.js';
import { registryHost } from '../world/registry.js';
import type { RegistryGate } from './registry-gate.js';

/** The world of a real node: the pods of one Deployment run on it, those of all others on the kubelet stand-in's. */
export interface Stage {
  world: World;
  gate: RegistryGate;
  /** Path of the static program that the images hold. */
  program: string;
  /** Address of the proxy that reaches the node's pods. */
  proxy: string;
  /** Gives the pods of the Deployment more than they have by themselves; without any, takes it away again. */
  give(pod?: Record<string, unknown>, container?: Record<string, unknown>): Promise<void>;
}

export const realNode = 'lab-real';
/** Where the workload listens: the first port of `mcp-runtime-api`. */
export const port = 8084;
const healthy = { PORT: String(port), LAB_ANSWER: '401' };

/** Puts an image into the registry that behaves so. @returns its reference with the digest */
export async function pushed(
  { world, program }: Pick<Stage, 'world' | 'program'>,
  { env, ...image }: Runnable = {},
  repository = target(world),
): Promise<string> {
  const wanted = { ...image, env: { ...healthy, ...env } };
  return `${registryHost}/${repository}@${await putRunnable(world.registry.url, repository, 'real', program, wanted)}`;
}

/** Has the Deployment's pods be on the real node, with probes, and with an image that runs there. */
export async function putThere({ world, program }: Pick<Stage, 'world' | 'program'>): Promise<Stage['give']> {
  const { cluster } = world;
  const name = target(world);
  const found = await cluster.get<KubeObject>(kinds.deployment, { namespace, name });
  const [first] = recordsAt(found, 'spec', 'template', 'spec', 'containers');
  const image = await pushed({ world, program });
  const probe = (path: string, failureThreshold: number): object => ({
    httpGet: { path, port },
    periodSeconds: 1,
    failureThreshold,
  });
  const give: Stage['give'] = async (pod = {}, container = {}) => {
    const own = {
      name: textAt(first, 'name'),
      readinessProbe: probe('/ready', 1),
      livenessProbe: probe('/live', 2),
      ...container,
    };
    const spec = {
      nodeSelector: { 'kubernetes.io/hostname': realNode },
      tolerations: [{ key: realNodeTaint.key, operator: 'Exists' }],
      terminationGracePeriodSeconds: 1,
      containers: [own],
      ...pod,
    };
    const object = { metadata: { namespace, name }, spec: { template: { spec } } };
    await applyObject(cluster, kinds.deployment, object, { force: true, manager: 'lab-node' });
  };
  // An image has one owner, and from now on that is whoever rolls out.
  await applyObject(
    cluster,
    kinds.deployment,
    {
      metadata: { namespace, name },
      spec: { template: { spec: { containers: [{ name: textAt(first, 'name'), image }] } } },
    },
    { force: true, manager: 'lab-image' },
  );
  await give();
  await world.services.settled();
  return give;
}

/** What the Deployment's pods on the real node answer; undefined when none is ready. */
export async function answerOf({
  world: { cluster, layout },
  proxy,
}: Pick<Stage, 'world' | 'proxy'>): Promise<number | undefined> {
  const { items } = await cluster.list(kinds.pod, { namespace, labelSelector: `app=${target({ layout })}` });
  const ready = items.find((pod) =>
    recordsAt(pod, 'status', 'conditions').some(({ type, status }) => type === 'Ready' && status === 'True'),
  );
  const ip = textAt(ready, 'status', 'podIP');
  if (ip === '' || at(ready, 'spec', 'nodeName') !== realNode) return undefined;
  return new Promise((resolve, reject) => {
    const [host, proxyPort] = proxy.split(':');
    const tunnel = request({ host, port: Number(proxyPort), method: 'CONNECT', path: `${ip}:${port}` });
    tunnel.once('error', reject).once('connect', (_answer, socket) => {
      const asked = request({ createConnection: () => socket, path: '/health', headers: { host: ip } });
      asked.once('error', reject).once('response', (answer) => {
        answer.resume();
        resolve(answer.statusCode);
        socket.destroy();
      });
      asked.end();
    });
    tunnel.end();
  });
}

/** Every state and event that the node tells of the Deployment's pods, each once, with what differs from pod to pod left out. */
export async function toldOf({ cluster, layout }: World): Promise<string[]> {
  const name = target({ layout });
  const [pods, events] = await Promise.all([
    cluster.list(kinds.pod, { namespace, labelSelector: `app=${name}` }),
    cluster.list(kinds.event, { namespace }),
  ]);
  const states = pods.items.flatMap((pod) =>
    [...recordsAt(pod, 'status', 'initContainerStatuses'), ...recordsAt(pod, 'status', 'containerStatuses')].flatMap(
      (status) =>
        ['state', 'lastState'].flatMap((field) => {
          const state = status[field];
          return isRecord(state)
            ? Object.entries(state).map(
                ([kind, value]) =>
                  `${field} ${kind}: ${textAt(value, 'reason')} ${String(at(value, 'exitCode') ?? '')} ${textAt(value, 'message')}`,
              )
            : [];
        }),
    ),
  );
  const ends = pods.items.map((pod) => `pod ${textAt(pod, 'status', 'reason')}: ${textAt(pod, 'status', 'message')}`);
  const told = events.items
    .filter((event) => textAt(event, 'involvedObject', 'name').startsWith(name))
    .map((event) => `event ${textAt(event, 'reason')}: ${textAt(event, 'message')}`);
  return [...new Set([...states, ...ends, ...told])].sort();
}
