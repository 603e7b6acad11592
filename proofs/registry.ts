import type { Proof } from './proof.js';

/** Every proof, in the order in which they are run. */
export const proofs: readonly Proof[] = [];
