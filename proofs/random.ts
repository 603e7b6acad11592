/** Reproducible randomness: the same seed gives the same proof again. */
export interface Random {
  readonly seed: number;
  /** A whole number from 0 up to, and without, `limit`. */
  below(limit: number): number;
  bytes(count: number): Buffer;
}

/** Makes a generator from a seed (mulberry32). It is for choosing cases, never for keys. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return { seed, below, bytes: (count) => Buffer.from(Array.from({ length: count }, () => below(256))) };
}

/** The seed of a run: MCPRT_PROOF_SEED, to repeat one that failed, or a fixed one. */
export function seedOf(env: NodeJS.ProcessEnv): number {
  return Number(env.MCPRT_PROOF_SEED ?? '20260711') >>> 0;
}
