import { type Catalog, createCatalog } from '../../aql/catalog.js';
import type { Bundle } from '../../bundle/model.js';
import type { ParsedBundle } from '../../bundle/parse-bundle.js';
import { VkitError } from '../../errors/index.js';
import { compilePolicySet, type PolicySet } from '../../policy/policy-set.js';
import type { BundleFacts, StoreRepositories } from '../../store/model.js';
import { readStoredBundle } from './read-stored-bundle.js';

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

/** How long a refusal to serve holds before the bundle is checked anew: a large one takes a second to check. */
export const REFUSAL_HELD_MS = 5_000;

interface Loaded {
  epoch: number;
  active: ActiveBundle | null;
  /** When a refusal is looked at again. */
  until: number;
}

/**
 * Every call asks the store for the epoch, which each activation raises, and loads only when it moved: a change holds at
 * once. What is loaded is checked first, as at its upload, with the keys that are trusted now; what does not verify is not
 * served, nor is a bundle past its `expires_at`. `check` throws where a bundle may not be served, its expiry aside.
 */
export function createActiveBundleReader(
  now: () => number,
  check: (parsed: ParsedBundle) => Promise<void>,
): ActiveBundleReader {
  let loaded: Loaded | null = null;
  return async (from) => {
    const organisation = await from.organisation.get();
    if (!organisation) return null;
    const { epoch } = organisation;
    if (loaded?.epoch !== epoch || loaded.until <= now()) {
      const facts = await from.bundles.active();
      const active = facts && (await load(from, facts, epoch, check));
      // That none is active is as good as a bundle that is: only the epoch can change it.
      const until = facts && !active ? now() + REFUSAL_HELD_MS : Number.POSITIVE_INFINITY;
      loaded = { epoch, active, until };
    }
    const { active } = loaded;
    const expires = active?.bundle.bundle.expires_at ?? null;
    return active && (expires === null || Date.parse(expires) > now()) ? active : null;
  };
}

async function load(
  from: StoreRepositories,
  facts: BundleFacts,
  epoch: number,
  check: (parsed: ParsedBundle) => Promise<void>,
): Promise<ActiveBundle | null> {
  const parsed = await readStoredBundle(from, facts);
  try {
    await check(parsed);
  } catch (error) {
    // Who may ask why is told by `vkit policy show`; everybody else only that nothing is served.
    if (error instanceof VkitError && error.httpStatus < 500) return null;
    throw error;
  }
  const { bundle } = parsed;
  return {
    version: facts.version,
    checksum: facts.checksum,
    epoch,
    bundle,
    policies: compilePolicySet(bundle),
    catalog: createCatalog(bundle),
  };
}
