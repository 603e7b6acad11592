import { until } from '../../lab/driver/until.js';
import { isTrue, recordsAt } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import type { Topic } from './case.js';
import { freezeKubelet } from './freeze.js';
import type { Site } from './site.js';

const main = { name: 'lab-node' };
const second = { name: 'lab-node-2' };
const kubelet = 'the kubelet’s part of a node’s status';

/** Nodes that are not Ready, closed, or of another processor. */
export const nodes: Topic = {
  topic: 'nodes',
  cases: [
    {
      name: 'the only node is not Ready',
      code: 'node-not-ready',
      evidence: /Ready=False: container runtime is down/,
      remedy: /systemctl status k3s/,
      follows: ['node-unschedulable'],
      standIn: kubelet,
      bundle: true,
      make: async (site) => {
        site.mendWith(() => reviveNode(site));
        freezeKubelet(site);
        await setReady(site, main.name);
      },
    },
    {
      name: 'one of two nodes is not Ready',
      code: 'node-not-ready',
      severity: 'warning',
      evidence: /container runtime is down/,
      standIn: kubelet,
      make: async (site) => {
        await addNode(site, 'amd64');
        freezeKubelet(site);
        await setReady(site, second.name);
      },
    },
    {
      name: 'every node is cordoned',
      code: 'node-unschedulable',
      evidence: /lab-node: scheduling disabled/,
      remedy: /kubectl uncordon/,
      small: true,
      make: (site) => site.set(kinds.node, main, ['spec', 'unschedulable'], true),
    },
    {
      name: 'images for another processor than the nodes’',
      code: 'node-architecture',
      evidence: /lab-node: amd64/,
      remedy: /MCP_IMAGE_PLATFORM=linux\/amd64/,
      bundle: true,
      small: true,
      make: async (site) => site.lookWith({ profile: { MCP_IMAGE_PLATFORM: 'linux/arm64' } }),
    },
    {
      name: 'nodes of two processors',
      code: 'node-architecture-mixed',
      evidence: /lab-node-2: arm64/,
      make: (site) => addNode(site, 'arm64'),
    },
  ],
};

/** A worker as a kubelet registers it. */
async function addNode(site: Site, architecture: string): Promise<void> {
  const resources = { cpu: '64', memory: '256Gi', pods: '100k', 'ephemeral-storage': '1Ti' };
  await site.add(kinds.node, {
    metadata: { ...second, labels: { 'kubernetes.io/arch': architecture, 'kubernetes.io/os': 'linux' } },
    status: {
      allocatable: resources,
      capacity: resources,
      nodeInfo: { architecture, operatingSystem: 'linux', kubeletVersion: 'v1.33.4+k3s1' },
      conditions: [readyCondition('True')],
    },
  });
}

async function setReady({ cluster }: Site, name: string): Promise<void> {
  const node = await cluster.get<KubeObject>(kinds.node, { name });
  const others = recordsAt(node, 'status', 'conditions').filter(({ type }) => type !== 'Ready');
  const value = [...others, readyCondition('False')];
  await cluster.patch(kinds.node, { name }, [{ op: 'add', path: '/status/conditions', value }], 'status');
}

/** kwok makes the node Ready again; a kubelet would then say so of each of its pods. */
async function reviveNode({ cluster }: Site): Promise<void> {
  const isReady = async (): Promise<boolean> => isTrue(await cluster.get<KubeObject>(kinds.node, main), 'Ready');
  await until(`node ${main.name} to be Ready again`, isReady, { seconds: 30 });
  const { items } = await cluster.list(kinds.pod);
  await Promise.all(
    items
      .filter((pod) => !isTrue(pod, 'Ready'))
      .map((pod) => {
        const before = recordsAt(pod, 'status', 'conditions');
        const value = before.map((one) => (one.type === 'Ready' ? readyCondition('True') : one));
        return cluster.patch(kinds.pod, pod.metadata, [{ op: 'add', path: '/status/conditions', value }], 'status');
      }),
  );
}

function readyCondition(status: 'True' | 'False'): Record<string, string> {
  const now = new Date().toISOString().replace(/\.\d+/, '');
  return {
    type: 'Ready',
    status,
    reason: status === 'True' ? 'KubeletReady' : 'KubeletNotReady',
    message: status === 'True' ? 'kubelet is posting ready status' : 'container runtime is down',
    lastTransitionTime: now,
    lastHeartbeatTime: now,
  };
}
