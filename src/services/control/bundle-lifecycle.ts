import { parseBundle } from '../../bundle/parse-bundle.js';
import { verifyBundle } from '../../bundle/verify-bundle.js';
import type { BundleBody, DeployAnswer } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import type { BundleRow, StoreRepositories } from '../../store/model.js';
import { auditEvent } from './audit-parts.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import { type Identity, requireAdministrator } from './identity.js';

type Activation = 'deploy' | 'activate' | 'rollback';

/**
 * Checks an uploaded bundle completely (schema, checksum, organisation, signature, expiry, dirty) before anything is
 * stored, stores it as a new version and activates it unless told otherwise. Identical bytes are a no-op that names the
 * version there is. Throws the `bundle_*` codes and `sequence_too_low`.
 */
export async function deployBundle(
  ctx: ControlContext,
  identity: Identity,
  document: unknown,
  options: { activate: boolean },
  call: CallMeta,
): Promise<DeployAnswer> {
  requireAdministrator(identity, 'policy_admin');
  const parsed = parseBundle(document);
  if ('problems' in parsed) {
    throw new VkitError('bundle_invalid', 'This is not a policy bundle.', {
      details: { problems: parsed.problems },
    });
  }
  await verifyBundle(parsed, {
    trustedKeys: await ctx.trustedBundleKeys(),
    org: ctx.org,
    now: new Date(ctx.now()),
    allowUnsigned: ctx.settings.allowUnsignedBundles,
    allowDirty: ctx.settings.allowDirtyBundles,
  });
  const header = parsed.bundle.bundle;
  const answer = await ctx.store.transaction(async (tx) => {
    const text = JSON.stringify(document);
    const known = await tx.bundles.byChecksum(header.checksum);
    if (known) return again(ctx, tx, { known, identity, call, activate: options.activate });
    const version = await tx.bundles.insert({
      checksum: header.checksum,
      sequence: header.sequence,
      state: 'uploaded',
      document: text,
      uploaded_by: identity.id,
      uploaded_at: timestamp(ctx.now()),
      activated_at: null,
      state_reason: null,
    });
    await record(ctx, tx, {
      event: 'bundle.deployed',
      identity,
      call,
      version,
      checksum: header.checksum,
    });
    if (options.activate) {
      const row = await requireVersion(tx, version);
      await activateRow(ctx, tx, { row, identity, call, how: 'deploy', reason: null });
    }
    return deployAnswer(tx, version, true, call);
  });
  if (options.activate && answer.created) stopRunning(ctx);
  return answer;
}

/** Activates an uploaded or superseded version whose sequence is not below the highest that was ever active. */
export function activateBundle(
  ctx: ControlContext,
  identity: Identity,
  version: number,
  call: CallMeta,
): Promise<DeployAnswer> {
  return change(ctx, identity, version, call, { how: 'activate', reason: null });
}

/** Activates an earlier version, whatever its sequence; the reason is recorded. */
export function rollbackBundle(
  ctx: ControlContext,
  identity: Identity,
  version: number,
  reason: string,
  call: CallMeta,
): Promise<DeployAnswer> {
  return change(ctx, identity, version, call, { how: 'rollback', reason });
}

async function change(
  ctx: ControlContext,
  identity: Identity,
  version: number,
  call: CallMeta,
  { how, reason }: { how: Activation; reason: string | null },
): Promise<DeployAnswer> {
  requireAdministrator(identity, 'policy_admin');
  const answer = await ctx.store.transaction(async (tx) => {
    const row = await requireVersion(tx, version);
    // Activating what is active keeps the epoch: nobody's grant ends because somebody was too careful.
    if (row.state === 'active') return deployAnswer(tx, version, false, call);
    await activateRow(ctx, tx, { row, identity, call, how, reason });
    return deployAnswer(tx, version, true, call);
  });
  if (answer.created) stopRunning(ctx);
  return { ...answer, created: false };
}

/** Blocks a version for ever. When it is the active one, none is active afterwards: everything is denied. */
export async function revokeBundle(
  ctx: ControlContext,
  identity: Identity,
  version: number,
  reason: string,
  call: CallMeta,
): Promise<DeployAnswer> {
  requireAdministrator(identity, 'policy_admin');
  const answer = await ctx.store.transaction(async (tx) => {
    const row = await requireVersion(tx, version);
    if (row.state === 'revoked') return deployAnswer(tx, version, false, call);
    await tx.bundles.setState(version, 'revoked', { reason });
    if (row.state === 'active') {
      const organisation = await requireOrganisation(tx);
      await tx.organisation.setEpoch(
        organisation.epoch + 1,
        organisation.highest_sequence ?? row.sequence,
      );
    }
    await record(ctx, tx, {
      event: 'bundle.revoked',
      identity,
      call,
      version,
      checksum: row.checksum,
      reason,
    });
    return deployAnswer(tx, version, false, call);
  });
  stopRunning(ctx);
  return answer;
}

/** Every version, newest first. */
export async function listBundles(ctx: ControlContext, identity: Identity): Promise<BundleBody[]> {
  requireAdministrator(identity, 'policy_admin');
  const rows = await ctx.store.bundles.list(BUNDLES_LISTED_MAX);
  const bodies: BundleBody[] = [];
  for (const { version } of rows) bodies.push(bundleBody(await requireVersion(ctx.store, version)));
  return bodies;
}

const BUNDLES_LISTED_MAX = 100;

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

interface ActivateInput {
  row: BundleRow;
  identity: Identity;
  call: CallMeta;
  how: Activation;
  reason: string | null;
}

async function activateRow(
  ctx: ControlContext,
  tx: StoreRepositories,
  input: ActivateInput,
): Promise<void> {
  const { row, identity, call, how, reason } = input;
  const organisation = await requireOrganisation(tx);
  const highest = organisation.highest_sequence;
  if (row.state === 'revoked') {
    throw new VkitError('bundle_revoked', `The bundle v${row.version} was revoked and stays so.`, {
      details: { reason: row.state_reason },
    });
  }
  if (how !== 'rollback' && highest !== null && row.sequence < highest) {
    throw new VkitError(
      'sequence_too_low',
      `The bundle's sequence ${row.sequence} is below ${highest}, which was active.`,
      {
        hint: `To return to an earlier bundle on purpose: vkit policy rollback --to v${row.version} --reason '…'`,
      },
    );
  }
  checkStillServes(ctx, row);
  const former = await tx.bundles.active();
  if (former) await tx.bundles.setState(former.version, 'superseded', {});
  await tx.bundles.setState(row.version, 'active', {
    activatedAt: timestamp(ctx.now()),
    ...(reason === null ? {} : { reason }),
  });
  await tx.organisation.setEpoch(organisation.epoch + 1, Math.max(highest ?? 0, row.sequence));
  const event = how === 'rollback' ? 'bundle.rolled_back' : 'bundle.activated';
  await record(ctx, tx, {
    event,
    identity,
    call,
    version: row.version,
    checksum: row.checksum,
    reason,
  });
}

function checkStillServes(ctx: ControlContext, row: BundleRow): void {
  const parsed = parseBundle(JSON.parse(row.document));
  const expires = 'bundle' in parsed ? parsed.bundle.bundle.expires_at : null;
  if (expires !== null && Date.parse(expires) <= ctx.now()) {
    throw new VkitError('bundle_expired', `The bundle v${row.version} expired at ${expires}.`, {
      hint: 'Build a new one: vkit policy bundle',
    });
  }
}

/** Grants of another epoch end at once, also those that are streaming. */
function stopRunning(ctx: ControlContext): void {
  ctx.running.stopAll(
    new VkitError('bundle_superseded', 'Another bundle became active while the query ran.'),
  );
}

interface AgainInput {
  known: BundleRow;
  identity: Identity;
  call: CallMeta;
  activate: boolean;
}

/** Identical bytes: nothing happens, but that a version which was only uploaded is activated if that is asked now. */
async function again(
  ctx: ControlContext,
  tx: StoreRepositories,
  input: AgainInput,
): Promise<DeployAnswer> {
  const { known, identity, call, activate } = input;
  const activates = activate && known.state === 'uploaded';
  if (activates)
    await activateRow(ctx, tx, { row: known, identity, call, how: 'activate', reason: null });
  if (known.state === 'revoked') {
    throw new VkitError(
      'bundle_revoked',
      `These are the bytes of v${known.version}, which was revoked and stays so.`,
    );
  }
  return deployAnswer(tx, known.version, activates, call);
}

async function deployAnswer(
  tx: StoreRepositories,
  version: number,
  created: boolean,
  call: CallMeta,
): Promise<DeployAnswer> {
  const row = await requireVersion(tx, version);
  const { epoch } = await requireOrganisation(tx);
  return { ...bundleBody(row), epoch, created, correlation_id: call.correlationId };
}

function bundleBody(row: BundleRow): BundleBody {
  const parsed = parseBundle(JSON.parse(row.document));
  return {
    id: `v${row.version}`,
    version: `v${row.version}`,
    state: row.state,
    checksum: row.checksum,
    sequence: row.sequence,
    bundle_version: 'bundle' in parsed ? parsed.bundle.bundle.bundle_version : '',
    uploaded_at: row.uploaded_at,
    uploaded_by: row.uploaded_by,
    activated_at: row.activated_at,
    reason: row.state_reason,
  };
}

async function requireVersion(tx: StoreRepositories, version: number): Promise<BundleRow> {
  const row = await tx.bundles.byVersion(version);
  if (!row) throw noSuchVersion(`v${version}`);
  return row;
}

async function requireOrganisation(tx: StoreRepositories) {
  const organisation = await tx.organisation.get();
  if (!organisation) throw new VkitError('unavailable', 'The organisation is not set up.');
  return organisation;
}

interface RecordInput {
  event: string;
  identity: Identity;
  call: CallMeta;
  version: number;
  checksum: string;
  reason?: string | null;
}

async function record(
  ctx: ControlContext,
  tx: StoreRepositories,
  input: RecordInput,
): Promise<void> {
  const event = auditEvent(ctx, input.event, input.call, input.identity);
  await tx.audit.append({
    ...event,
    metadata: {
      ...event.metadata,
      bundle: `v${input.version}`,
      bundle_checksum: input.checksum,
      ...(input.reason ? { reason: input.reason } : {}),
    },
  });
}
