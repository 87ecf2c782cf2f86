import { compareBundles } from '../../../src/bundle/compare/compare-bundles.js';
import type { BundleComparison } from '../../../src/bundle/compare/model.js';
import { wordsOfChange, wordsOfRequesters } from '../../../src/bundle/compare/words.js';
import type { Bundle, BundleDataset, BundleHeader } from '../../../src/bundle/model.js';
import type { Action, Policy } from '../../../src/policy/model.js';
import { withPolicies } from '../../policy/arbitraries.js';

/** A policy with a few words: its id, what it does, and what else there is to say. */
export function policy(id: string, action: Action, rest: Partial<Policy> = {}): Policy {
  return { id, action, match: {}, when: {}, priority: 0, ...rest };
}

/** A dataset with these fields, all of low sensitivity. */
export function dataset(name: string, fields: readonly string[], datasource = 'eu'): BundleDataset {
  return {
    name,
    datasource,
    table: { schema: '', name },
    fields: fields.map((field) => ({ name: field, type: 'text', sensitivity: 'low' as const })),
  };
}

export const ONE_FIELD: readonly BundleDataset[] = [dataset('t', ['f'])];

/** A bundle of these policies over one dataset with one field, or over others; `eu` is production, `us` is staging. */
export function bundle(
  policies: readonly Policy[],
  datasets: readonly BundleDataset[] = ONE_FIELD,
  header: Partial<BundleHeader> = {},
): Bundle {
  const base = withPolicies(policies, 'deny');
  const source = { type: 'sqlite', config: {} };
  return {
    ...base,
    bundle: { ...base.bundle, ...header },
    registry: {
      datasets,
      datasources: [
        { ...source, name: 'eu', environment: 'production', region: 'EU' },
        { ...source, name: 'us', environment: 'staging', region: 'US' },
      ],
    },
  };
}

/** The changes of fields, a line each: `widening t.f: deny → allow [everybody; production]`. */
export function fieldLines(a: Bundle, b: Bundle): string[] {
  return linesOf(compareBundles(a, b)).filter((line) => !line.includes('(count)'));
}

export function linesOf({ changes }: BundleComparison): string[] {
  return changes.map((change) => {
    const place =
      change.field === null ? `${change.dataset} (count)` : `${change.dataset}.${change.field}`;
    return `${change.direction} ${place}: ${wordsOfChange(change)} [${wordsOfRequesters(change)}]`;
  });
}
