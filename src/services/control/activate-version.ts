import { VkitError } from '../../errors/index.js';
import type { BundleFacts, StoreRepositories } from '../../store/model.js';
import { requireOrganisation } from './bundle-body.js';
import { type ControlContext, timestamp } from './context.js';
import { type BundleActor, recordBundleStep } from './record-bundle.js';

export type Activation = 'activate' | 'rollback';

interface ActivateInput extends BundleActor {
  facts: BundleFacts;
  how: Activation;
  /** Why; of a rollback. */
  reason: string | null;
  /** Inserted in this transaction, and gone with it where the activation is refused. */
  isNew?: boolean;
}

/**
 * Makes a version the active one and the former one superseded, raises the epoch and records it, within a transaction.
 * Throws `bundle_revoked` and, but for a rollback, `sequence_too_low`. That the version still verifies is the caller's to
 * check.
 */
export async function activateVersion(
  ctx: ControlContext,
  tx: StoreRepositories,
  { facts, how, reason, isNew = false, identity, call }: ActivateInput,
): Promise<void> {
  const { version, checksum, sequence, state, state_reason: why } = facts;
  const { epoch, highest_sequence: highest } = await requireOrganisation(tx);
  if (state === 'revoked') {
    throw new VkitError('bundle_revoked', `The bundle v${version} was revoked and stays so.`, {
      details: { reason: why },
    });
  }
  if (how !== 'rollback' && highest !== null && sequence < highest) {
    throw new VkitError(
      'sequence_too_low',
      `The bundle's sequence ${sequence} is below ${highest}, which was active.`,
      {
        hint: `To return to an earlier bundle on purpose: ${isNew ? 'vkit policy deploy --no-activate && ' : ''}vkit policy rollback --to v${version} --reason '…'`,
      },
    );
  }
  const former = await tx.bundles.active();
  if (former) await tx.bundles.setState(former.version, 'superseded', {});
  await tx.bundles.setState(version, 'active', {
    activated: { at: timestamp(ctx.now()), by: identity.id },
    ...(reason === null ? {} : { reason }),
  });
  await tx.organisation.setEpoch(epoch + 1, Math.max(highest ?? 0, sequence));
  const event = how === 'rollback' ? 'bundle.rolled_back' : 'bundle.activated';
  await recordBundleStep(ctx, tx, { identity, call, event, version, checksum, reason });
}
