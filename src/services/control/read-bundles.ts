import type { BundleBody, ShownBundle } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import type { BundleFacts } from '../../store/model.js';
import { bundleBody, parseVersion, requireVersion } from './bundle-body.js';
import { refusalOf } from './check-bundle.js';
import type { CallMeta, ControlContext } from './context.js';
import { type Identity, requireAdministrator } from './identity.js';

const BUNDLES_LISTED_MAX = 1_000;

/** The versions, newest first, without their documents. */
export async function listBundles(ctx: ControlContext, identity: Identity): Promise<BundleBody[]> {
  requireAdministrator(identity, 'policy_admin');
  return (await ctx.store.bundles.list(BUNDLES_LISTED_MAX)).map(bundleBody);
}

/**
 * One version (`v3`, `3` or `active`) with its document as it was uploaded, and what stands in its way. Auditors may see it:
 * their log names versions, and a version says which policies a decision was made by.
 */
export async function showBundle(
  ctx: ControlContext,
  identity: Identity,
  version: string,
  call: CallMeta,
): Promise<ShownBundle> {
  requireAdministrator(identity, 'policy_admin', 'auditor');
  const facts = await factsOf(ctx, version);
  const text = await ctx.store.bundles.document(facts.version);
  return {
    ...bundleBody(facts),
    uploaded_by_email: await emailOf(ctx, facts.uploaded_by),
    activated_by_email: await emailOf(ctx, facts.activated_by),
    refusal: await refusalOf(ctx, facts),
    bundle: JSON.parse(text ?? 'null') as unknown,
    correlation_id: call.correlationId,
  };
}

async function factsOf({ store }: ControlContext, version: string): Promise<BundleFacts> {
  if (version !== 'active') return requireVersion(store, parseVersion(version));
  const active = await store.bundles.active();
  if (active) return active;
  throw new VkitError('not_found', 'No bundle is active, so everything is denied.', {
    hint: 'Name a version of vkit policy list, or deploy one: vkit policy deploy',
  });
}

async function emailOf({ store }: ControlContext, id: string | null): Promise<string | null> {
  return id === null ? null : ((await store.users.byId(id))?.email ?? null);
}
