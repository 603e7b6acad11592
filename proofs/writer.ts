import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../lab/driver/until.js';
import { waitForCertificates } from '../lab/platform/install.js';
import { issuer } from '../lab/platform/names.js';
import { certificateOf, namespaceOf, privateCaIssuer } from '../lab/platform/resources.js';
import { isConflict } from '../shared/cluster/cluster.js';
import { textAt } from '../shared/cluster/fields.js';
import { type Kind, type KubeObject, kinds } from '../shared/cluster/objects.js';
import { policyLock } from '../shared/facts/lock.js';
import { seeded, seedOf } from './random.js';
import { chanceOfMore, sum } from './support/figures.js';
import type { Proof, ProofContext } from './support/proof.js';
import { mustWork, resultOf } from './support/runs.js';
import { beginElsewhere, certificateCount, wipeNamespaces } from './world/installation.js';
import { inWorld, type World } from './world/world.js';

const namespace = 'writer';
const written = Array.from({ length: 20 }, (_, index) => `tenant-${index}`);
/** From the moment that a restore has its lock, in ms: longer than either kind of restore takes. */
const span = 2_000;

/**
 * Where no order can be avoided in either way, as a Certificate came before the brake was in effect, which restore it hits
 * is chance: the counts may differ as two counts of the same thing do, with these odds.
 */
const tooUnlikely = 0.001;

/** What one restore came to, beside which somebody made Certificates. */
interface Race {
  brake: string;
  orders: number;
}

export const writer: Proof = {
  name: 'writer',
  claim:
    'somebody makes 20 Certificates at random moments of a restore: where the brake’s proof is not waited for, orders are no likelier than where it is',
  run: (context) => inWorld(context, [], (world) => everyRace(context, world)),
};

async function everyRace(context: ProofContext, world: World) {
  const random = seeded(seedOf(context.env));
  context.progress(`  seed ${random.seed} (MCPRT_PROOF_SEED)`);
  await world.install();
  await Promise.all([makeNamespace(world), ...written.map((name) => makeCertificate(world, name))]);
  await waitForCertificates(world.cluster, certificateCount + written.length);
  mustWork('the backup', await world.backup('backup'));
  const fast: Race[] = [];
  const braked: Race[] = [];
  for (let left = Number(context.flags.cycles ?? (context.small ? 2 : 100)); left > 0; left--) {
    // The same moments for both.
    const moments = written.map(() => random.below(span));
    fast.push(await race(context, world, moments, async () => undefined));
    braked.push(await race(context, world, moments, () => beginElsewhere(world.cluster)));
    context.progress(`  ${fast.length}: ${fast.at(-1)?.orders} orders, with the brake ${braked.at(-1)?.orders}`);
  }
  const orders = (races: readonly Race[]): number => sum(races.map((one) => one.orders));
  context.expect(
    braked.every(({ brake }) => brake !== 'not-needed'),
    'a restore that had to brake did not',
  );
  const chance = chanceOfMore(orders(fast), orders(braked));
  context.expect(
    chance > tooUnlikely,
    `${orders(fast)} orders, and with the brake ${orders(braked)}: the odds of that are ${chance}`,
  );
  return {
    seed: random.seed,
    restores: fast.length,
    certificates: written.length,
    orders: orders(fast),
    ordersWithBrake: orders(braked),
    odds: chance,
    brakeProvenAfterAll: fast.filter(({ brake }) => brake === 'policy').length,
  };
}

/** Loses the namespace, and has a restore and the writer run at once. @param prepare what makes the restore brake */
async function race(
  context: ProofContext,
  world: World,
  moments: readonly number[],
  prepare: () => Promise<void>,
): Promise<Race> {
  const { cluster } = world;
  await wipeNamespaces(cluster, [namespace]);
  await prepare();
  const { result: run, orders } = await world.counting(async () => {
    const [restored] = await Promise.all([world.backup('restore'), write(world, moments)]);
    await cluster.apply(kinds.clusterIssuer, privateCaIssuer(), { force: true, manager: 'lab' });
    await waitForCertificates(cluster, certificateCount + written.length);
    return restored;
  });
  const isTold = run.error === 'restore-ordered' && orders > 0;
  context.expect(run.code === 0 || isTold, `the restore ended with ${run.error} and ${orders} orders`, run);
  return { brake: isTold ? 'untold' : textAt(resultOf(run), 'brake'), orders };
}

/** Makes the Certificates, each at its moment after the restore has its lock. */
async function write(world: World, moments: readonly number[]): Promise<void> {
  await until('the lock', async () => (await world.cluster.get(policyLock.kind, policyLock.ref)) !== undefined, {
    every: 2,
  });
  await Promise.all(
    written.map(async (name, index) => {
      await sleep(moments[index]);
      await makeNamespace(world);
      await makeCertificate(world, name);
    }),
  );
}

const makeNamespace = (world: World): Promise<void> =>
  make(world, kinds.namespace, namespaceOf(namespace, 'restricted'));

function makeCertificate(world: World, name: string): Promise<void> {
  const spec = { secretName: `${name}-tls`, dnsNames: [`${name}.writer.${world.domain}`], issuer };
  return make(world, kinds.certificate, certificateOf(namespace, name, spec));
}

async function make({ cluster }: World, kind: Kind, object: KubeObject): Promise<void> {
  await cluster.create(kind, object).catch((error: unknown) => {
    if (!isConflict(error)) throw error;
  });
}
