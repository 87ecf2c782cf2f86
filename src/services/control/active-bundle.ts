import { type Catalog, createCatalog } from '../../aql/catalog.js';
import type { Bundle } from '../../bundle/model.js';
import { parseBundle } from '../../bundle/parse-bundle.js';
import { VkitError } from '../../errors/index.js';
import { compilePolicySet, type PolicySet } from '../../policy/policy-set.js';
import type { StoreRepositories } from '../../store/model.js';

/** The bundle that is enforced, compiled for evaluation. */
export interface ActiveBundle {
  version: number;
  checksum: string;
  epoch: number;
  bundle: Bundle;
  policies: PolicySet;
  catalog: Catalog;
}

/** Reads which bundle is active, from the store or from the transaction given; null where there is none. */
export type ActiveBundleReader = (from: StoreRepositories) => Promise<ActiveBundle | null>;

/**
 * Every call asks the store for the epoch, which each activation raises, and compiles only when it moved: a change holds
 * at once. A bundle past its `expires_at` is no longer served.
 */
export function createActiveBundleReader(now: () => number): ActiveBundleReader {
  let cached: ActiveBundle | null = null;
  return async (from) => {
    const organisation = await from.organisation.get();
    if (!organisation) return null;
    if (cached?.epoch !== organisation.epoch) cached = await load(from, organisation.epoch);
    const expires = cached?.bundle.bundle.expires_at ?? null;
    return cached && (expires === null || Date.parse(expires) > now()) ? cached : null;
  };
}

async function load(from: StoreRepositories, epoch: number): Promise<ActiveBundle | null> {
  const row = await from.bundles.active();
  if (!row) return null;
  const parsed = parseBundle(JSON.parse(row.document));
  if ('problems' in parsed) {
    throw new VkitError('unavailable', `The active bundle v${row.version} cannot be read.`, {
      details: { problems: parsed.problems },
    });
  }
  const { bundle } = parsed;
  return {
    version: row.version,
    checksum: row.checksum,
    epoch,
    bundle,
    policies: compilePolicySet(bundle),
    catalog: createCatalog(bundle),
  };
}
