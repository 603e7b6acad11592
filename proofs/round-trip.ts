import type { Proof, ProofContext, Proven } from './proof.js';
import { seeded, seedOf } from './random.js';
import { randomInstallation } from './round-trip/installation.js';
import { type RoundTrip, roundTrip, roundTripKeys } from './round-trip/memory.js';
import { realTrips } from './round-trip/real.js';

/** The API server's clock of every installation in memory: certificates are made around it. */
const now = new Date('2026-11-24T12:00:00Z');

export const roundTripProof: Proof = {
  name: 'round-trip',
  claim:
    'random installations: whatever a backup accepts, plan and restore accept, with the forecast right; what it refuses is not stored',
  async run(context) {
    const problems: string[] = [];
    const { only } = context.flags;
    const memory = only === 'cluster' ? {} : await inMemory(context, problems);
    const seed = seedOf(context.env);
    const real = only === 'memory' ? {} : await realTrips(context, seed, context.small ? 2 : 20, problems);
    return { ok: problems.length === 0, figures: { seed, ...memory, real }, problems };
  },
};

async function inMemory({ env, small, progress }: ProofContext, problems: string[]): Promise<Proven['figures']> {
  const seed = seedOf(env);
  const count = small ? 60 : 300;
  const keys = await roundTripKeys();
  const done: RoundTrip[] = [];
  for (let index = 0; index < count; index++) {
    const random = seeded(seed + index);
    // Most have few tenants; one in fifty as many as one backup is made for.
    const tenants = index % 50 === 49 ? ([5000, 5000] as const) : ([0, index % 10 === 9 ? 300 : 12] as const);
    const installation = randomInstallation(random, { now, tenants });
    try {
      done.push(await roundTrip(installation, keys, random, now));
    } catch (error) {
      problems.push(`installation ${index} (seed ${seed + index}): ${(error as Error).stack}`);
    }
    problems.push(
      ...(done.at(-1)?.problems ?? []).map((line) => `installation ${index} (seed ${seed + index}): ${line}`),
    );
    if (index % 20 === 19) progress(`  ${index + 1} installations in memory`);
  }
  return {
    installations: count,
    restored: done.filter(({ outcome }) => outcome === 'restored').length,
    refusedFirst: done.filter(({ outcome }) => outcome === 'refused').length,
    mostObjects: Math.max(...done.map(({ objects }) => objects)),
    certificates: done.reduce((sum, { certificates }) => sum + certificates, 0),
    leftOut: done.reduce((sum, { leftOut }) => sum + leftOut, 0),
  };
}
