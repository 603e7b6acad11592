import { until } from '../lab/driver/until.js';
import { namespaceOf } from '../lab/platform/resources.js';
import type { Cluster } from '../shared/cluster/cluster.js';
import { at } from '../shared/cluster/fields.js';
import { kinds } from '../shared/cluster/objects.js';
import { isRecord } from '../shared/json.js';
import { round1, secondsSince } from './support/figures.js';
import { kubectlShell } from './support/kubectl.js';
import type { Proof, ProofContext } from './support/proof.js';
import { mustWork, resultOf } from './support/runs.js';
import { appNamespaces } from './world/installation.js';
import { makeTenants } from './world/tenants.js';
import { inWorld, type World } from './world/world.js';

/** Requests of the action beside one deletion for each namespace: lists, the backup, lock, journal, watches. */
const overhead = 150;

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
  run: (context) => inWorld(context, ['gate'], (world) => measure(context, world)),
};

async function measure(context: ProofContext, world: World<'gate'>) {
  const { gate, cluster } = world;
  const tenants = context.small ? 20 : 1000;
  const shell = await kubectlShell(context, world.state, gate);
  const prepare = async (): Promise<void> => {
    await world.install();
    await makeTenants(cluster, tenants);
    await cluster.apply(kinds.namespace, namespaceOf('shop'), { manager: 'world' });
  };
  const foreignLeft = async (): Promise<number> =>
    (await cluster.get(kinds.namespace, { name: 'shop' }))?.metadata.deletionTimestamp === undefined ? 1 : 0;

  await prepare();
  context.progress(`  ${tenants} tenants made; wiping with action-backup`);
  gate.reset({});
  const inputs = { kubeconfig: gate.kubeconfig, confirm: world.domain, timeout: '20m' };
  const done = mustWork('the wipe', await world.backup('wipe', inputs));
  const requests = gate.requests();
  const seconds = at(resultOf(done), 'seconds');
  const left = await tenantsLeft(cluster);
  const spared = await foreignLeft();
  context.progress(`  ${done.seconds.toFixed(1)} s, ${requests} requests; the same with kubectl`);

  await prepare();
  gate.reset({});
  const started = performance.now();
  const gone = secondsUntilGone(cluster, started);
  await shell(runbook);
  const kubectl = {
    seconds: secondsSince(started),
    requests: gate.requests(),
    gone: await gone,
  };
  context.expect(left === 0, `${left} namespaces are left`);
  const { wiped } = done.outputs;
  context.expect(Number(wiped) === tenants + appNamespaces.length, `it says that ${wiped} went`);
  context.expect(spared === 1, 'a namespace of others was deleted');
  context.expect(requests <= tenants + overhead, `${requests} requests for ${tenants} tenants`);
  return {
    tenants,
    action: { seconds: round1(done.seconds), requests, ...(isRecord(seconds) ? seconds : {}) },
    kubectl,
    timeRatio: Math.round((kubectl.seconds / done.seconds) * 100) / 100,
    requestRatio: Math.round((kubectl.requests / requests) * 100) / 100,
    foreignNamespacesDeleted: {
      action: 1 - spared,
      kubectl: (await cluster.get(kinds.namespace, { name: 'shop' })) ? 0 : 1,
    },
  };
}

/** When the cluster had finished, whoever still waits; asked past the gate. */
async function secondsUntilGone(cluster: Cluster, started: number): Promise<number> {
  const isGone = async (): Promise<boolean> => (await tenantsLeft(cluster)) === 0;
  await until('the namespaces to go', isGone, { seconds: 900, every: 1000 });
  return secondsSince(started);
}

async function tenantsLeft(cluster: Cluster): Promise<number> {
  const { items } = await cluster.list(kinds.namespace);
  return items.filter(({ metadata }) => metadata.name.startsWith('mcp-team-')).length;
}
