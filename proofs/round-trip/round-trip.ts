import { messageOf } from '../../shared/errors.js';
import { seeded, seedOf } from '../random.js';
import { sum } from '../support/figures.js';
import { type Figures, isWanted, type Proof, type ProofContext } from '../support/proof.js';
import { randomInstallation } from './installation.js';
import { type RoundTrip, roundTrip, roundTripKeys } from './memory.js';
import { realTrips } from './real.js';

/** The API server's clock of every installation in memory: certificates are made around it. */
const now = new Date('2026-11-24T12:00:00Z');

export const roundTripProof: Proof = {
  name: 'round-trip',
  claim:
    'random installations: whatever a backup accepts, plan and restore accept, with the forecast right; what it refuses is not stored',
  async run(context) {
    const memory = isWanted(context, 'memory') ? await inMemory(context) : {};
    const seed = seedOf(context.env);
    const real = isWanted(context, 'cluster') ? await realTrips(context, seed, context.small ? 2 : 20) : {};
    return { seed, ...memory, real };
  },
};

async function inMemory(context: ProofContext): Promise<Figures> {
  const { env, small, progress } = context;
  const seed = seedOf(env);
  const count = small ? 60 : 300;
  const keys = await roundTripKeys();
  const done: RoundTrip[] = [];
  for (let index = 0; index < count; index++) {
    const random = seeded(seed + index);
    // Most have few tenants; one in fifty as many as one backup is made for.
    const tenants = index % 50 === 49 ? ([5000, 5000] as const) : ([0, index % 10 === 9 ? 300 : 12] as const);
    const installation = randomInstallation(random, { now, tenants });
    const { fail } = context.about(`installation ${index} (seed ${seed + index})`);
    try {
      const trip = await roundTrip(installation, keys, random, now);
      done.push(trip);
      for (const line of trip.problems) fail(line);
    } catch (error) {
      fail((error as Error).stack ?? messageOf(error));
    }
    if (index % 20 === 19) progress(`  ${index + 1} installations in memory`);
  }
  return {
    installations: count,
    restored: done.filter(({ outcome }) => outcome === 'restored').length,
    refusedFirst: done.filter(({ outcome }) => outcome === 'refused').length,
    mostObjects: Math.max(...done.map(({ objects }) => objects)),
    certificates: sum(done.map((trip) => trip.certificates)),
    leftOut: sum(done.map((trip) => trip.leftOut)),
  };
}
