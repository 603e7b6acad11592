/** A figure with one digit behind its point. */
export function round1(value: number): number {
  return Math.round(value * 10) / 10;
}

/** How long ago something began, in s with one digit. @param started on performance.now()'s clock */
export function secondsSince(started: number): number {
  return round1((performance.now() - started) / 1000);
}

/** The one in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** All of a list's numbers together. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * How likely it is that of two counts of like events the first is so much the larger by chance alone: as often as a fair
 * coin, thrown once for each event, shows at least that many heads.
 */
export function chanceOfMore(count: number, other: number): number {
  const all = count + other;
  let ways = 1;
  let tail = 0;
  for (let heads = all; heads >= count; heads--) {
    tail += ways;
    ways = (ways * heads) / (all - heads + 1);
  }
  return tail / 2 ** all;
}
