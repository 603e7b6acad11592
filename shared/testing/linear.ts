/** Of several runs the fastest counts: the machine may do something else meanwhile. In ms. */
async function fastest(run: () => unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let count = 0; count < 3; count += 1) {
    const started = performance.now();
    await run();
    best = Math.min(best, performance.now() - started);
  }
  return best;
}

/**
 * Whether what is done with an input takes time in proportion to its size: four times as much takes less than eight times
 * as long, where a square takes sixteen. What is over at once at the large size, too, is fast enough to be anything.
 */
export async function linearIn(run: (size: number) => unknown, size: number): Promise<boolean> {
  await run(size);
  const [small, large] = [await fastest(() => run(size)), await fastest(() => run(4 * size))];
  return large < 8 * Math.max(small, 1);
}
