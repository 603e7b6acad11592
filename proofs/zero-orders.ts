import { setTimeout as sleep } from 'node:timers/promises';
import { difference, type Reading, setLimit } from '../lab/driver/meter.js';
import { installCertManager } from '../lab/platform/install.js';
import { objectOf } from '../shared/cluster/cluster.js';
import { kinds } from '../shared/cluster/objects.js';
import { type Leaf, leaves } from './leaves.js';
import type { Proof, ProofContext, Proven } from './proof.js';
import { appNamespaces, makeRig, type Rig, scaleCertManager } from './rig.js';

/** What one wipe → restore → reinstall came to. */
interface Cycle {
  state: string;
  orders: number;
  issued: number;
  serialsEqual: boolean;
}

export const zeroOrders: Proof = {
  name: 'zero-orders',
  claim:
    'wipe, restore, reinstall: no order and no issuance, with cert-manager running, stopped, absent, and on a new cluster',
  async run(context) {
    const rig = await makeRig(context);
    await setLimit(rig.state.acme.control, true);
    await rig.install();
    const backup = await rig.act('backup');
    if (backup.code !== 0) return { ok: false, figures: {}, problems: [backup.log] };
    const cycles = Number(context.flags.cycles ?? (context.small ? 2 : 25));
    const problems: string[] = [];
    const done: Cycle[] = [];
    const cycle = async (state: string, prepare: () => Promise<void>, after: () => Promise<void>): Promise<void> => {
      done.push(await runCycle(rig, state, prepare, after, problems));
      context.progress(`  ${state}: ${done.length}`);
    };

    const churn = startChurn(rig);
    for (let count = 0; count < cycles; count++) {
      await cycle('running', () => rig.wipe(), rig.install);
    }
    await churn.stop();
    await cycle(
      'stopped',
      async () => {
        await scaleCertManager(rig.cluster, 0);
        await rig.wipe();
      },
      rig.install,
    );
    await cycle('absent', () => rig.wipe([...appNamespaces, 'cert-manager']), rig.install);
    const fresh = await onNewCluster(context, rig, problems);
    await rig.close();
    return verdict([...done, fresh], churn.count(), problems);
  },
};

async function runCycle(
  rig: Rig,
  state: string,
  prepare: () => Promise<void>,
  after: () => Promise<void>,
  problems: string[],
): Promise<Cycle> {
  const before = await leaves(rig.cluster);
  await prepare();
  const counted = await rig.meter();
  const restored = await rig.act('restore');
  if (restored.code !== 0) problems.push(`${state}: restore failed: ${restored.log}`);
  await after();
  await sleep(1000);
  return summed(state, counted, await rig.meter(), before, await leaves(rig.cluster));
}

/** A cluster that has never seen the platform, whose ACME server is another too: any order would show there. */
async function onNewCluster(context: ProofContext, old: Rig, problems: string[]): Promise<Cycle> {
  const rig = await makeRig(context);
  try {
    const before = await leaves(old.cluster);
    const fingerprint = (await old.cluster.get(kinds.namespace, { name: 'kube-system' }))?.metadata.uid ?? '';
    const counted = await rig.meter();
    const inputs = { 'restore-key': old.keys.restore, directory: old.backups, 'from-cluster': fingerprint };
    const unasked = await rig.act('restore', { ...inputs, 'from-cluster': '' });
    if (unasked.error !== 'backup-foreign-cluster') problems.push(`a foreign cluster was not refused: ${unasked.log}`);
    const restored = await rig.act('restore', inputs);
    if (restored.code !== 0) problems.push(`new cluster: restore failed: ${restored.log}`);
    await installCertManager(rig.cluster, rig.installation);
    await rig.install();
    return summed('new cluster', counted, await rig.meter(), before, await leaves(rig.cluster));
  } finally {
    await rig.close();
  }
}

function summed(state: string, counted: Reading, now: Reading, before: Leaf[], after: Leaf[]): Cycle {
  const { orders, issued } = difference(counted, now);
  return { state, orders, issued, serialsEqual: JSON.stringify(before) === JSON.stringify(after) };
}

/** Changes Secrets all the time, in both of cert-manager's classes, so that its watches are never idle. */
function startChurn(rig: Rig): { stop(): Promise<void>; count(): number } {
  let running = true;
  let writes = 0;
  const namespace = 'churn';
  const work = (async () => {
    await rig.cluster.apply(kinds.namespace, objectOf(kinds.namespace, { metadata: { name: namespace } }), {
      manager: 'lab',
    });
    for (; running; writes++) {
      const labels: Record<string, string> = writes % 2 === 0 ? { 'controller.cert-manager.io/fao': 'true' } : {};
      const data = { count: Buffer.from(String(writes)).toString('base64') };
      const metadata = { namespace, name: `churn-${writes % 20}`, labels };
      await rig.cluster.apply(kinds.secret, objectOf(kinds.secret, { metadata, data }), {
        force: true,
        manager: 'lab',
      });
      await sleep(20);
    }
  })();
  return {
    async stop() {
      running = false;
      await work;
    },
    count: () => writes,
  };
}

function verdict(cycles: Cycle[], churn: number, problems: string[]): Proven {
  const bad = cycles.filter(({ orders, issued, serialsEqual }) => orders !== 0 || issued !== 0 || !serialsEqual);
  const sum = (field: 'orders' | 'issued'): number => cycles.reduce((total, cycle) => total + cycle[field], 0);
  return {
    ok: bad.length === 0 && problems.length === 0,
    figures: {
      cycles: cycles.length,
      states: [...new Set(cycles.map(({ state }) => state))],
      orders: sum('orders'),
      issued: sum('issued'),
      serialsEqual: cycles.every(({ serialsEqual }) => serialsEqual),
      churnedSecrets: churn,
      limiter: 'on',
    },
    problems: [...problems, ...bad.map((cycle) => JSON.stringify(cycle))],
  };
}
