import { COMBINATIONS_MAX } from './dimensions.js';

/** How many references a sentence names. */
const NAMES_MAX = 10;

type Reference = { dataset: string; field: string | null };

/** Collects what a comparison left out, and says it. */
export interface Warnings {
  /** A reference that was not compared at all. */
  notCompared(reference: Reference): void;
  /** One that was compared with one role at a time. */
  noPairs(reference: Reference): void;
  /** How many references were said to be left out, wholly or in part. */
  count(): number;
  /** A sentence for each kind; `unlisted` is the number of changes that are counted and not listed. */
  sentences(unlisted: number): readonly string[];
}

export function createWarnings(): Warnings {
  const skipped: Reference[] = [];
  const single: Reference[] = [];
  return {
    notCompared: (reference) => skipped.push(reference),
    noPairs: (reference) => single.push(reference),
    count: () => skipped.length + single.length,
    sentences: (unlisted) => [
      ...(skipped.length === 0
        ? []
        : [
            `Not compared, since it takes too long or more than ${COMBINATIONS_MAX} combinations of attributes: ${names(skipped)}.`,
          ]),
      ...(single.length === 0
        ? []
        : [
            `Compared with one role at a time, since two take more than ${COMBINATIONS_MAX} combinations: ${names(single)}.`,
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
