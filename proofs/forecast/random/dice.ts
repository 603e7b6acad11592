import type { Random } from '../../random.js';

/** A seeded generator's throws, as whoever makes cases thinks of them. */
export interface Dice extends Random {
  /** One item of a list that is not empty. */
  pick<T>(items: readonly T[]): T;
  /** Whether something happens that does so in `percent` of all cases. */
  chance(percent: number): boolean;
  /** A whole number from `least` up to and with `most`. */
  between(least: number, most: number): number;
  /** Some items of a list, each at most once, at most `most`. */
  some<T>(items: readonly T[], most: number): T[];
  /** One of the values by its weight. */
  weighted<T>(items: readonly (readonly [weight: number, value: T])[]): T;
}

/** Gives a generator these throws. */
export function diceOf(random: Random): Dice {
  const pick = <T>(items: readonly T[]): T => {
    if (items.length === 0) throw new Error('there is nothing to pick from');
    return items[random.below(items.length)] as T;
  };
  return {
    ...random,
    pick,
    chance: (percent) => random.below(100) < percent,
    between: (least, most) => least + random.below(most - least + 1),
    some: (items, most) => {
      const rest = [...items];
      return Array.from({ length: Math.min(random.below(most + 1), rest.length) }, () =>
        rest.splice(random.below(rest.length), 1),
      ).flat();
    },
    weighted: (items) => {
      let left = random.below(items.reduce((sum, [weight]) => sum + weight, 0));
      for (const [weight, value] of items) {
        if (left < weight) return value;
        left -= weight;
      }
      throw new Error('weights are whole numbers');
    },
  };
}
