import fc, { type GeneratorValue } from 'fast-check';

/** Chance that fast-check can make small again: what is first in a list, and what is left out, counts as small. */
export interface Dice {
  /** A whole number from 0 to `max`. */
  upTo(max: number): number;
  oneIn(count: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** From `min` to `max` different entries, or all where there are fewer. */
  some<T>(items: readonly T[], min: number, max: number): T[];
  shuffled<T>(items: readonly T[]): T[];
}

const natural = (max: number) => fc.noBias(fc.nat(max));

export function diceOf(generator: GeneratorValue): Dice {
  const upTo = (max: number) => (max <= 0 ? 0 : generator(natural, max));
  const pick = <T>(items: readonly T[]): T => {
    if (items.length === 0) throw new Error('there is nothing to pick from');
    return items[upTo(items.length - 1)] as T;
  };
  const some = <T>(items: readonly T[], min: number, max: number): T[] => {
    const left = [...items];
    const taken: T[] = [];
    const count = min + upTo(max - min);
    while (taken.length < count && left.length > 0) {
      taken.push(...left.splice(upTo(left.length - 1), 1));
    }
    return taken;
  };
  return {
    upTo,
    oneIn: (count) => upTo(count - 1) === count - 1 && count > 0,
    pick,
    some,
    shuffled: (items) => some(items, items.length, items.length),
  };
}

/** The same chance for the same seed. */
export function diceOfSeed(seed: number): Dice {
  const [generator] = fc.sample(fc.gen(), { seed, numRuns: 1 });
  if (generator === undefined) throw new Error('nothing was generated');
  return diceOf(generator);
}
