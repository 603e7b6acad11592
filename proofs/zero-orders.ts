import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setLimit } from '../lab/driver/meter.js';
import { installCertManager } from '../lab/platform/cert-manager.js';
import { applyObject } from '../lab/platform/objects.js';
import { textAt } from '../shared/cluster/fields.js';
import { kinds } from '../shared/cluster/objects.js';
import { sum } from './support/figures.js';
import { restoreBesideLateServer } from './support/late-server.js';
import { leaves } from './support/leaves.js';
import type { Proof, ProofContext } from './support/proof.js';
import { mustWork, resultOf } from './support/runs.js';
import { appNamespaces, askTooEarly, fingerprintOf, scaleCertManager } from './world/installation.js';
import { inWorld, type World } from './world/world.js';

type Leaves = Awaited<ReturnType<typeof leaves>>;

/** What one wipe → restore → reinstall came to. */
interface Cycle {
  state: string;
  brake: string;
  orders: number;
  issued: number;
  serialsEqual: boolean;
}

export const zeroOrders: Proof = {
  name: 'zero-orders',
  claim:
    'wipe, restore, reinstall: no order and no issuance, with cert-manager running, asked too early, stopped, absent, on a new cluster, beside a second API server that is late, and before Kubernetes 1.30',
  run: (context) => inWorld(context, [], (world) => everyCycle(context, world)),
  inTable: ({ cycles, orders, issued }) => `${cycles} cycles: ${orders} orders, ${issued} issuances`,
};

async function everyCycle(context: ProofContext, world: World) {
  await setLimit(world.state.acme.control, true);
  await world.install();
  mustWork('the backup', await world.backup('backup'));
  const done: Cycle[] = [];
  const cycle = async (state: string, brake: string, wipe: () => Promise<void>): Promise<void> => {
    const before = await leaves(world.cluster);
    await wipe();
    done.push(await counted(world, state, before, () => restoreAndInstall(context, world, { state, brake })));
    context.progress(`  ${state}: ${done.length}`);
  };

  const churn = startChurn(world);
  const cycles = Number(context.flags.cycles ?? (context.small ? 2 : 25));
  // An older control plane (`--kubernetes`) is asked too early below, where the way out of its refusal is tried.
  const canBrake = Number((await world.cluster.version()).split('.')[1]) >= 30;
  for (let count = 0; count < cycles; count++) {
    if (count % 2 === 0 || !canBrake) await cycle('running', 'not-needed', () => world.wipe());
    else await cycle('running, asked too early', 'policy', () => askTooEarly(world.cluster, () => world.wipe()));
  }
  await churn.stop();
  await cycle('stopped', 'not-needed', async () => {
    await scaleCertManager(world.cluster, 0);
    await world.wipe();
  });
  await cycle('absent', 'not-needed', () => world.wipe([...appNamespaces, 'cert-manager']));
  done.push(await onNewCluster(context, world));
  if (canBrake) done.push(await onTwoServers(context));
  done.push(...(await onOldCluster(context)));
  for (const one of done) context.expect(one.orders === 0 && one.issued === 0 && one.serialsEqual, JSON.stringify(one));
  return {
    cycles: done.length,
    states: [...new Set(done.map(({ state }) => state))],
    withBrake: done.filter(({ brake }) => brake === 'policy').length,
    orders: sum(done.map(({ orders }) => orders)),
    issued: sum(done.map(({ issued }) => issued)),
    serialsEqual: done.every(({ serialsEqual }) => serialsEqual),
    churnedSecrets: churn.count(),
    limiter: 'on',
  };
}

/** Restores, with the brake proven or not, and installs. @returns how it was braked */
async function restoreAndInstall(
  context: ProofContext,
  world: World,
  { state, brake, ...inputs }: { state: string; brake: string; allow?: string; kubeconfig?: string },
): Promise<string> {
  const run = await world.backup('restore', inputs);
  context.expectDone(`${state}: the restore`, run);
  const said = textAt(resultOf(run), 'brake');
  context.expectSame(`${state}: the brake`, said, brake);
  await world.install();
  await sleep(1000);
  return said;
}

/** A cluster that has never seen the platform, whose ACME server is another too: any order would show there. */
function onNewCluster(context: ProofContext, old: World): Promise<Cycle> {
  return inWorld(context, [], async (fresh) => {
    const inputs = { 'restore-key': old.keys.restore, directory: old.backups };
    return counted(fresh, 'new cluster', await leaves(old.cluster), async () => {
      context.expectRefused('a foreign cluster', 'backup-foreign-cluster', await fresh.backup('restore', inputs));
      const named = { ...inputs, 'from-cluster': await fingerprintOf(old.cluster) };
      context.expectDone('new cluster: the restore', await fresh.backup('restore', named));
      await installCertManager(fresh.cluster, fresh.installation);
      await fresh.install();
      return 'not-needed';
    });
  });
}

/** Two API servers, of which cert-manager's learns of the brake seconds after the one that the restore speaks with. */
function onTwoServers(context: ProofContext): Promise<Cycle> {
  const state = 'two API servers, cert-manager’s late';
  return inWorld(
    context,
    ['gate', 'platform'],
    async (world) => {
      mustWork('the backup', await world.backup('backup'));
      const { kubeconfig } = world.gate;
      return counted(world, state, await leaves(world.cluster), async () => {
        let said = '';
        const wasLate = await restoreBesideLateServer(world, async () => {
          said = await restoreAndInstall(context, world, { state, brake: 'policy', kubeconfig });
        });
        context.expect(wasLate, `${state}: the brake was proven before cert-manager’s server could be late`);
        return said;
      });
    },
    { apiServers: 2, folder: join(context.folder, 'two-servers') },
  );
}

/**
 * A cluster that cannot deny orders: where cert-manager runs and is asked for something, a restore is refused before it writes
 * anything; the ways that the refusal names cost nothing. After a wipe nobody asks, and nothing has to be done.
 */
function onOldCluster(context: ProofContext): Promise<Cycle[]> {
  return inWorld(
    context,
    [],
    async (world) => {
      await world.install();
      mustWork('the backup', await world.backup('backup'));
      const before = await leaves(world.cluster);
      const early = (): Promise<void> => askTooEarly(world.cluster, () => world.wipe());
      const way = (what: string, lose: () => Promise<void>, allow = ''): Promise<Cycle> => {
        const state = `before 1.30, ${what}`;
        return counted(world, state, before, async () => {
          await lose();
          return restoreAndInstall(context, world, { state, brake: 'not-needed', allow });
        });
      };
      const asIs = await way('running', () => world.wipe());
      const stopped = await way('asked too early, stopped as it was told', async () => {
        await early();
        const refused = await world.backup('restore');
        context.expectRefused('before 1.30, running', 'brake-unavailable', refused);
        const first = refused.summary.split('\n').find((line) => line.includes('❌')) ?? '';
        context.expect(first.includes('brake-unavailable'), `the summary begins with ${first}`);
        const { items } = await world.cluster.list(kinds.secret, { fieldSelector: 'type=kubernetes.io/tls' });
        const platform = items.filter(({ metadata }) => appNamespaces.includes(metadata.namespace ?? ''));
        context.expect(platform.length === 0, 'a refused restore has written Secrets');
        await scaleCertManager(world.cluster, 0);
      });
      const allowed = await way('asked too early, which it may stop', early, 'stop-cert-manager');
      const wiped = await way('wiped by the action', async () => {
        const inputs = { confirm: world.domain, also: 'cert-manager' };
        context.expectDone('before 1.30: the wipe', await world.backup('wipe', inputs));
      });
      return [asIs, stopped, allowed, wiped];
    },
    { before130: true, folder: join(context.folder, 'before-1.30') },
  );
}

/** What was ordered and issued meanwhile, and whether the certificates are those of before. */
async function counted(world: World, state: string, before: Leaves, work: () => Promise<string>): Promise<Cycle> {
  const { orders, issued, result: brake } = await world.counting(work);
  const serialsEqual = JSON.stringify(before) === JSON.stringify(await leaves(world.cluster));
  return { state, brake, orders, issued, serialsEqual };
}

/** Changes Secrets all the time, in both of cert-manager's classes, so that its watches are never idle. */
function startChurn({ cluster }: World): { stop(): Promise<void>; count(): number } {
  let running = true;
  let writes = 0;
  const namespace = 'churn';
  const work = (async () => {
    await applyObject(cluster, kinds.namespace, { metadata: { name: namespace } }, { manager: 'lab' });
    for (; running; writes++) {
      const labels: Record<string, string> = writes % 2 === 0 ? { 'controller.cert-manager.io/fao': 'true' } : {};
      const data = { count: Buffer.from(String(writes)).toString('base64') };
      const metadata = { namespace, name: `churn-${writes % 20}`, labels };
      await applyObject(cluster, kinds.secret, { metadata, data }, { force: true, manager: 'lab' });
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
