import { type ParsedBundle, parseBundle } from '../../bundle/parse-bundle.js';
import type { DeployAnswer } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import type { BundleFacts, StoreRepositories } from '../../store/model.js';
import { type Activation, activateVersion } from './activate-version.js';
import { deployAnswer, requireOrganisation, requireVersion } from './bundle-body.js';
import { checkBundle } from './check-bundle.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import { type Identity, requireAdministrator } from './identity.js';
import { readStoredBundle } from './read-stored-bundle.js';
import {
  type BundleActor,
  recordBundleRefusal,
  recordBundleStep,
  recordingRefusal,
} from './record-bundle.js';

/**
 * Checks an uploaded bundle completely (schema, checksum, organisation, signature, expiry, dirty) before anything is
 * stored, stores it as a new version and activates it unless told otherwise. Content that is there already is a no-op
 * that names its version. Throws the `bundle_*` codes and `sequence_too_low`; a refusal is recorded and stores nothing.
 */
export async function deployBundle(
  ctx: ControlContext,
  identity: Identity,
  document: unknown,
  options: { activate: boolean },
  call: CallMeta,
): Promise<DeployAnswer> {
  requireAdministrator(identity, 'policy_admin');
  const actor = { identity, call };
  const parsed = parseBundle(document);
  const checksum = 'problems' in parsed ? {} : { checksum: parsed.bundle.bundle.checksum };
  const answer = await recordingRefusal(
    ctx,
    { ...actor, action: 'deploy', ...checksum },
    async () => {
      if ('problems' in parsed) {
        throw new VkitError('bundle_invalid', 'This is not a policy bundle.', {
          details: { problems: parsed.problems },
        });
      }
      await checkBundle(ctx, parsed, ctx.now());
      return store(ctx, actor, parsed, options);
    },
  );
  if (answer.state === 'revoked') {
    await recordBundleRefusal(ctx, { ...actor, action: 'deploy', ...checksum }, 'bundle_revoked');
  }
  if (options.activate && answer.created) stopRunning(ctx);
  return answer;
}

function store(
  ctx: ControlContext,
  actor: BundleActor,
  { document, bundle }: ParsedBundle,
  options: { activate: boolean },
): Promise<DeployAnswer> {
  const text = JSON.stringify(document);
  const { bundle: header, signing } = bundle;
  const { checksum } = header;
  const signed = { document: text, key_id: signing?.key_id ?? null };
  return ctx.store.transaction(async (tx) => {
    const known = await tx.bundles.byChecksum(checksum);
    if (known) return again(ctx, tx, actor, { known, signed, activate: options.activate });
    const version = await tx.bundles.insert({
      ...signed,
      checksum,
      sequence: header.sequence,
      bundle_version: header.bundle_version,
      expires_at: header.expires_at,
      state: 'uploaded',
      uploaded_by: actor.identity.id,
      uploaded_at: timestamp(ctx.now()),
      activated_at: null,
      activated_by: null,
      state_reason: null,
    });
    await recordBundleStep(ctx, tx, { ...actor, event: 'bundle.deployed', version, checksum });
    if (options.activate) {
      const facts = await requireVersion(tx, version);
      await activateVersion(ctx, tx, {
        ...actor,
        facts,
        how: 'activate',
        reason: null,
        isNew: true,
      });
    }
    return deployAnswer(tx, version, true, actor.call);
  });
}

interface AgainInput {
  known: BundleFacts;
  signed: { document: string; key_id: string | null };
  activate: boolean;
}

/**
 * The same content: nothing happens, but that a version which was only uploaded is activated if that is asked now, and that
 * a signature by another trusted key takes the place of the former one, so that keys rotate without a new version.
 */
async function again(
  ctx: ControlContext,
  tx: StoreRepositories,
  actor: BundleActor,
  { known, signed, activate }: AgainInput,
): Promise<DeployAnswer> {
  const { version, checksum } = known;
  const resigns =
    signed.key_id !== null && signed.key_id !== known.key_id && known.state !== 'revoked';
  if (resigns) {
    await tx.bundles.resign(version, signed);
    const more = { key_id: signed.key_id, former_key_id: known.key_id };
    const event = 'bundle.resigned';
    await recordBundleStep(ctx, tx, { ...actor, event, version, checksum, more });
  }
  const activates = activate && known.state === 'uploaded';
  if (activates) {
    await activateVersion(ctx, tx, { ...actor, facts: known, how: 'activate', reason: null });
  }
  const answer = await deployAnswer(tx, version, activates, actor.call);
  return resigns ? { ...answer, resigned: true } : answer;
}

/** Activates an uploaded or superseded version whose sequence is not below the highest that was ever active. */
export function activateBundle(
  ctx: ControlContext,
  identity: Identity,
  version: number,
  call: CallMeta,
): Promise<DeployAnswer> {
  return change(ctx, { identity, call }, version, { how: 'activate', reason: null });
}

/** Activates an earlier version, whatever its sequence; the reason is recorded. */
export function rollbackBundle(
  ctx: ControlContext,
  identity: Identity,
  version: number,
  reason: string,
  call: CallMeta,
): Promise<DeployAnswer> {
  return change(ctx, { identity, call }, version, { how: 'rollback', reason });
}

/** What was trusted when it was uploaded may not be trusted any more: the version is checked again, with the keys of now. */
async function change(
  ctx: ControlContext,
  actor: BundleActor,
  version: number,
  { how, reason }: { how: Activation; reason: string | null },
): Promise<DeployAnswer> {
  requireAdministrator(actor.identity, 'policy_admin');
  const before = await requireVersion(ctx.store, version);
  const { checksum } = before;
  const attempt = { ...actor, action: how, version, checksum, reason };
  const answer = await recordingRefusal(ctx, attempt, async () => {
    // Before the transaction, which waits for nothing but the store. The content of a version never changes. The active one is
    // checked too: where it expired or its key is gone it is not served, and "active already" would sound as if it were.
    if (before.state !== 'revoked')
      await checkBundle(ctx, await readStoredBundle(ctx.store, before), ctx.now());
    return ctx.store.transaction(async (tx) => {
      const facts = await requireVersion(tx, version);
      // Activating what is active keeps the epoch: nobody's grant ends because somebody was too careful.
      if (facts.state === 'active') return deployAnswer(tx, version, false, actor.call);
      if (before.state === 'active') throw movedMeanwhile(version);
      await activateVersion(ctx, tx, { ...actor, facts, how, reason });
      return deployAnswer(tx, version, true, actor.call);
    });
  });
  // Of a version that is there already, `created` says only whether it became the active one here.
  if (!answer.created) return { ...answer, unchanged: true };
  stopRunning(ctx);
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
  const { answer, former } = await ctx.store.transaction(async (tx) => {
    const facts = await requireVersion(tx, version);
    const { state, checksum, sequence } = facts;
    if (state !== 'revoked') {
      await tx.bundles.setState(version, 'revoked', { reason });
      if (state === 'active') {
        const { epoch, highest_sequence: highest } = await requireOrganisation(tx);
        await tx.organisation.setEpoch(epoch + 1, highest ?? sequence);
      }
      const event = 'bundle.revoked';
      await recordBundleStep(ctx, tx, { identity, call, event, version, checksum, reason });
    }
    return {
      answer: await deployAnswer(tx, version, false, call),
      former: state,
    };
  });
  if (former === 'active') stopRunning(ctx);
  return former === 'revoked' ? { ...answer, unchanged: true } : answer;
}

function movedMeanwhile(version: number): VkitError {
  return new VkitError('conflict', `The bundle v${version} was replaced at this moment.`, {
    hint: 'See what is active, and try again: vkit policy list',
  });
}

/** Grants of another epoch end at once, also those that are streaming. */
function stopRunning(ctx: ControlContext): void {
  ctx.running.stopAll(
    new VkitError('bundle_superseded', 'Another bundle became active while the query ran.'),
  );
}
