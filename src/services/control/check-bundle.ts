import type { ParsedBundle } from '../../bundle/parse-bundle.js';
import { verifyBundle } from '../../bundle/verify-bundle.js';
import type { BundleRefusal } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import type { BundleFacts } from '../../store/model.js';
import type { ControlContext } from './context.js';
import { readStoredBundle } from './read-stored-bundle.js';

/** What decides whether this server takes a bundle, besides the moment. */
export interface BundleTrust extends Pick<ControlContext, 'org' | 'trustedBundleKeys'> {
  settings: Pick<ControlContext['settings'], 'allowUnsignedBundles' | 'allowDirtyBundles'>;
}

/**
 * Checks checksum, organisation, signature and expiry against the keys that are trusted at this moment. Throws the `bundle_*`
 * codes. The same check stands before a version is stored, before it is activated, and before it is served.
 */
export async function checkBundle(
  { org, settings, trustedBundleKeys }: BundleTrust,
  parsed: ParsedBundle,
  now: number,
): Promise<void> {
  await verifyBundle(parsed, {
    trustedKeys: await trustedBundleKeys(),
    org,
    now: new Date(now),
    allowUnsigned: settings.allowUnsignedBundles,
    allowDirty: settings.allowDirtyBundles,
  });
}

/** Why a version would not be served or activated at this moment; null where nothing stands in its way. */
export async function refusalOf(
  ctx: Pick<ControlContext, 'store' | 'now'> & BundleTrust,
  facts: BundleFacts,
): Promise<BundleRefusal | null> {
  if (facts.state === 'revoked') {
    return { type: 'bundle_revoked', message: `The bundle v${facts.version} was revoked.` };
  }
  try {
    await checkBundle(ctx, await readStoredBundle(ctx.store, facts), ctx.now());
    return null;
  } catch (error) {
    if (!(error instanceof VkitError)) throw error;
    return { type: error.code, message: error.message };
  }
}
