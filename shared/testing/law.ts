import fc, { type IAsyncProperty, type IProperty } from 'fast-check';
import { seedOf } from '../../proofs/random.js';

/** The seed of this run, for the names of tests: MCPRT_PROOF_SEED tries other values, and repeats a run that failed. */
export const seed = seedOf(process.env);

/**
 * Tries a law on some values; the message of a failure holds the smallest that breaks it.
 *
 * @param runs how many values are tried
 */
export function holds(law: IProperty<unknown>, runs: number): void {
  fc.assert(law, { seed, numRuns: runs });
}

/** The same for a law whose check waits for something. */
export async function holdsInTheEnd(law: IAsyncProperty<unknown>, runs: number): Promise<void> {
  await fc.assert(law, { seed, numRuns: runs });
}
