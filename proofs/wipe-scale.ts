import { setTimeout as sleep } from 'node:timers/promises';
import pMap from 'p-map';
import { namespaceOf, pullSecret } from '../lab/platform/resources.js';
import { type Cluster, objectOf } from '../shared/cluster/cluster.js';
import { type Kind, type KubeObject, kinds } from '../shared/cluster/objects.js';
import { type Gate, openGate } from './gate.js';
import { kubectlShell } from './kubectl.js';
import type { Proof, ProofContext, Proven } from './proof.js';
import { appNamespaces, makeRig, type Rig } from './rig.js';

/** Requests of the action beside one deletion for each namespace: lists, the backup, lock, journal, watches. */
const overhead = 150;
const fillDeadline = 180_000;
const goneDeadline = 900_000;

/** The runbook's safe wipe, word for word, but for the `|| true` that hides its errors. */
const runbook = `
kubectl get ns --no-headers | awk '{print $1}' | grep -Ev '^(kube-system|kube-public|kube-node-lease|default)$' \\
  | xargs -r kubectl delete ns --grace-period=0
kubectl delete mcpserver,mcpaccessgrant,mcpagentsession --all -A --ignore-not-found
kubectl delete clusterrole,clusterrolebinding -l app.kubernetes.io/managed-by=mcp-runtime --ignore-not-found
`;

export const wipeScale: Proof = {
  name: 'wipe-scale',
  claim: 'the namespaces of a thousand tenants are wiped; time and requests next to the runbook’s kubectl commands',
  async run(context) {
    const rig = await makeRig(context);
    const gate = await openGate(rig.state);
    try {
      return await measure(context, rig, gate);
    } finally {
      await gate.close();
      await rig.close();
    }
  },
};

async function measure(context: ProofContext, rig: Rig, gate: Gate): Promise<Proven> {
  const tenants = context.small ? 20 : 1000;
  const shell = await kubectlShell(context, rig.state, gate);
  const prepare = async (): Promise<void> => {
    await rig.install();
    await fill(rig.cluster, tenants);
    await rig.cluster.apply(kinds.namespace, namespaceOf('shop'), { manager: 'world' });
  };
  const foreignLeft = async (): Promise<number> =>
    (await rig.cluster.get(kinds.namespace, { name: 'shop' }))?.metadata.deletionTimestamp === undefined ? 1 : 0;

  await prepare();
  context.progress(`  ${tenants} tenants made; wiping with action-backup`);
  gate.reset({});
  const done = await rig.act('wipe', { kubeconfig: gate.kubeconfig, confirm: rig.installation.domain, timeout: '20m' });
  const requests = gate.requests();
  if (done.code !== 0) return { ok: false, figures: {}, problems: [withoutMasks(done.log)] };
  const result = JSON.parse(done.outputs.result ?? '{}') as { seconds: Record<string, number> };
  const left = await tenantsLeft(rig.cluster);
  const spared = await foreignLeft();
  context.progress(`  ${done.seconds.toFixed(1)} s, ${requests} requests; the same with kubectl`);

  await prepare();
  gate.reset({});
  const started = performance.now();
  const gone = secondsUntilGone(rig.cluster, started);
  await shell(runbook);
  const kubectl = {
    seconds: round1((performance.now() - started) / 1000),
    requests: gate.requests(),
    gone: await gone,
  };
  const problems = [
    ...(left === 0 ? [] : [`${left} namespaces are left`]),
    ...(Number(done.outputs.wiped) === tenants + appNamespaces.length
      ? []
      : [`it says that ${done.outputs.wiped} went`]),
    ...(spared === 1 ? [] : ['a namespace of others was deleted']),
    ...(requests <= tenants + overhead ? [] : [`${requests} requests for ${tenants} tenants`]),
  ];
  return {
    ok: problems.length === 0,
    figures: {
      tenants,
      action: { seconds: round1(done.seconds), requests, ...result.seconds },
      kubectl,
      timeRatio: Math.round((kubectl.seconds / done.seconds) * 100) / 100,
      requestRatio: Math.round((kubectl.requests / requests) * 100) / 100,
      foreignNamespacesDeleted: {
        action: 1 - spared,
        kubectl: (await rig.cluster.get(kinds.namespace, { name: 'shop' })) ? 0 : 1,
      },
    },
    problems,
  };
}

/** When the cluster had finished, whoever still waits; asked past the gate. */
async function secondsUntilGone(cluster: Cluster, started: number): Promise<number> {
  const end = Date.now() + goneDeadline;
  while ((await tenantsLeft(cluster)) > 0) {
    if (Date.now() > end) throw new Error(`waited ${goneDeadline / 1000} s for the namespaces to go`);
    await sleep(1000);
  }
  return round1((performance.now() - started) / 1000);
}

/** Makes namespaces as the platform makes them for teams, and waits until the cluster has given each its account. */
async function fill(cluster: Cluster, tenants: number): Promise<void> {
  const names = Array.from({ length: tenants }, (_, index) => `mcp-team-t${index}`);
  const create = (kind: Kind, object: KubeObject): Promise<unknown> => cluster.create(kind, object);
  await pMap(
    names,
    async (namespace) => {
      await create(
        kinds.namespace,
        namespaceOf(namespace, 'restricted', { 'platform.mcpruntime.org/managed': 'true' }),
      );
      await Promise.all(contentOf(namespace).map(([kind, object]) => create(kind, object)));
    },
    { concurrency: 24 },
  );
  const end = Date.now() + fillDeadline;
  for (;;) {
    const { items } = await cluster.list(kinds.serviceAccount, { fieldSelector: 'metadata.name=default' });
    if (items.filter(({ metadata }) => metadata.namespace?.startsWith('mcp-team-t')).length === tenants) return;
    if (Date.now() > end) throw new Error(`waited ${fillDeadline / 1000} s for the accounts of ${tenants} namespaces`);
    await sleep(500);
  }
}

function contentOf(namespace: string): [Kind, KubeObject][] {
  const key = Buffer.from('not-a-real-key').toString('base64');
  return [
    [kinds.secret, pullSecret(namespace, 'example.com', key)],
    [
      kinds.configMap,
      objectOf(kinds.configMap, { metadata: { name: 'settings', namespace }, data: { team: namespace } }),
    ],
    [
      kinds.networkPolicy,
      objectOf(kinds.networkPolicy, {
        metadata: { name: 'platform-default-deny', namespace },
        spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
      }),
    ],
    [
      kinds.resourceQuota,
      objectOf(kinds.resourceQuota, {
        metadata: { name: 'platform-default-quota', namespace },
        spec: { hard: { pods: '20', persistentvolumeclaims: '4' } },
      }),
    ],
  ];
}

async function tenantsLeft(cluster: Cluster): Promise<number> {
  const { items } = await cluster.list(kinds.namespace);
  return items.filter(({ metadata }) => metadata.name.startsWith('mcp-team-')).length;
}

function withoutMasks(log: string): string {
  return log.replace(/^::add-mask::.*\n/gm, '').slice(-1500);
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
