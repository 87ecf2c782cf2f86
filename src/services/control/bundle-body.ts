import type { BundleBody, DeployAnswer } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import type { BundleFacts, OrganisationRow, StoreRepositories } from '../../store/model.js';
import type { CallMeta } from './context.js';

/** A version as it travels; its document is not read. */
export function bundleBody(facts: BundleFacts): BundleBody {
  const version = `v${facts.version}`;
  return {
    id: version,
    version,
    state: facts.state,
    checksum: facts.checksum,
    sequence: facts.sequence,
    bundle_version: facts.bundle_version,
    expires_at: facts.expires_at,
    key_id: facts.key_id,
    uploaded_at: facts.uploaded_at,
    uploaded_by: facts.uploaded_by,
    activated_at: facts.activated_at,
    activated_by: facts.activated_by,
    reason: facts.state_reason,
  };
}

/** What every step of the lifecycle answers: the version as it is now, and the organisation's epoch. */
export async function deployAnswer(
  tx: StoreRepositories,
  version: number,
  created: boolean,
  call: CallMeta,
): Promise<DeployAnswer> {
  const facts = await requireVersion(tx, version);
  const { epoch } = await requireOrganisation(tx);
  return { ...bundleBody(facts), epoch, created, correlation_id: call.correlationId };
}

export async function requireVersion(tx: StoreRepositories, version: number): Promise<BundleFacts> {
  const facts = await tx.bundles.byVersion(version);
  if (!facts) throw noSuchVersion(`v${version}`);
  return facts;
}

export async function requireOrganisation(tx: StoreRepositories): Promise<OrganisationRow> {
  const organisation = await tx.organisation.get();
  if (!organisation) throw new VkitError('unavailable', 'The organisation is not set up.');
  return organisation;
}

/** `v3` or `3` as a number; throws `not_found`. */
export function parseVersion(text: string): number {
  const match = /^v?([1-9]\d{0,8})$/.exec(text);
  if (!match) throw noSuchVersion(text);
  return Number(match[1]);
}

function noSuchVersion(text: string): VkitError {
  return new VkitError('not_found', `There is no bundle version ${text.slice(0, 32)}.`, {
    hint: 'See the versions: vkit policy list',
  });
}
