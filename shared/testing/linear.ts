/** How often a measurement is made again before it counts: the machine may do something else meanwhile. */
const attempts = 10;

/** What something costs this process, in ms of its processor: time that others take is none of it. */
async function cost(run: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/**
 * Whether what is done with an input takes time in proportion to its size: four times as much takes less than eight times
 * as long, where a square takes sixteen. What is over at once at the large size, too, is fast enough to be anything.
 * What the engine does beside it only adds, so the least of each size counts.
 */
export async function linearIn(run: (size: number) => unknown, size: number): Promise<boolean> {
  await run(size);
  let [small, large] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    small = Math.min(small, await cost(() => run(size)));
    large = Math.min(large, await cost(() => run(4 * size)));
    if (large < 8 * Math.max(small, 2)) return true;
  }
  return false;
}
