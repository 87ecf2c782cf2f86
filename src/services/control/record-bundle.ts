import { VkitError } from '../../errors/index.js';
import type { StoreRepositories } from '../../store/model.js';
import { auditEvent } from './audit-parts.js';
import type { CallMeta, ControlContext } from './context.js';
import type { Identity } from './identity.js';

/** Who did something to a bundle. */
export interface BundleActor {
  identity: Identity;
  call: CallMeta;
}

export interface BundleStep extends BundleActor {
  event:
    | 'bundle.deployed'
    | 'bundle.activated'
    | 'bundle.rolled_back'
    | 'bundle.revoked'
    | 'bundle.resigned';
  version: number;
  checksum: string;
  reason?: string | null;
  more?: Readonly<Record<string, string | null>>;
}

/** Records one step in the transaction that does it. */
export async function recordBundleStep(
  ctx: ControlContext,
  tx: StoreRepositories,
  { event: name, identity, call, version, checksum, reason, more }: BundleStep,
): Promise<void> {
  const event = auditEvent(ctx, name, call, identity);
  await tx.audit.append({
    ...event,
    metadata: {
      ...event.metadata,
      bundle: `v${version}`,
      bundle_checksum: checksum,
      ...(reason ? { reason } : {}),
      ...more,
    },
  });
}

/** What is known of a bundle that was refused; the checksum is what the document claims. */
export interface BundleAttempt extends BundleActor {
  action: 'deploy' | 'activate' | 'rollback';
  version?: number;
  checksum?: string;
  reason?: string | null;
}

/** Does the work, and records its refusal where the bundle, not the server, is the cause. The error goes on as it is. */
export async function recordingRefusal<T>(
  ctx: ControlContext,
  attempt: BundleAttempt,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof VkitError && isRefusal(error)) {
      await recordBundleRefusal(ctx, attempt, error.code);
    }
    throw error;
  }
}

export async function recordBundleRefusal(
  ctx: Pick<ControlContext, 'store' | 'now'>,
  { identity, call, action, version, checksum, reason }: BundleAttempt,
  type: VkitError['code'],
): Promise<void> {
  const event = auditEvent(ctx, 'bundle.refused', call, identity);
  await ctx.store.audit.append({
    ...event,
    policy_evaluation: { policies_applied: [], access_granted: false, type },
    metadata: {
      ...event.metadata,
      action,
      ...(version === undefined ? {} : { bundle: `v${version}` }),
      ...(checksum === undefined ? {} : { bundle_checksum: checksum }),
      ...(reason ? { reason } : {}),
    },
  });
}

/** A version that does not exist refused nothing, and what the server could not do is in its log. */
function isRefusal({ code, httpStatus }: VkitError): boolean {
  return httpStatus < 500 && code !== 'not_found';
}
