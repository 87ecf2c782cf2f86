import { COMBINATIONS_MAX } from './dimensions.js';

/** How many references a sentence names. */
const NAMES_MAX = 10;

type Reference = { dataset: string; field: string | null };

/** Collects what a comparison left out, and says it. */
export interface Warnings {
  /** A reference that was not compared at all. */
  notCompared(reference: Reference): void;
  /** One that was compared with fewer roles at once than make a difference. */
  fewRoles(reference: Reference, atOnce: 'one' | 'two'): void;
  /** How many references were said to be left out, wholly or in part. */
  count(): number;
  /** A sentence for each kind; `unlisted` is the number of changes that are counted and not listed. */
  sentences(unlisted: number): readonly string[];
}

export function createWarnings(): Warnings {
  const skipped: Reference[] = [];
  const few = { one: [] as Reference[], two: [] as Reference[] };
  return {
    notCompared: (reference) => skipped.push(reference),
    fewRoles: (reference, atOnce) => few[atOnce].push(reference),
    count: () => skipped.length + few.one.length + few.two.length,
    sentences: (unlisted) => [
      ...(skipped.length === 0
        ? []
        : [
            `Not compared, since it takes too long or more than ${COMBINATIONS_MAX} combinations of attributes: ${names(skipped)}.`,
          ]),
      ...(few.one.length === 0
        ? []
        : [
            `Compared with one role at a time, since two take more than ${COMBINATIONS_MAX} combinations: ${names(few.one)}.`,
          ]),
      ...(few.two.length === 0
        ? []
        : [
            `Compared with two roles at once, since as many as can matter take more than ${COMBINATIONS_MAX} combinations: ${names(few.two)}.`,
          ]),
      ...(unlisted === 0 ? [] : [`${unlisted} more changes are counted and not listed.`]),
    ],
  };
}

function names(references: readonly Reference[]): string {
  const shown = references
    .slice(0, NAMES_MAX)
    .map(({ dataset, field }) => (field === null ? `${dataset} (count)` : `${dataset}.${field}`));
  const more = references.length - shown.length;
  return `${shown.join(', ')}${more === 0 ? '' : ` and ${more} more`}`;
}
