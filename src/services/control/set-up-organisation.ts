import { randomBytes } from 'node:crypto';
import { VkitError } from '../../errors/index.js';
import { randomId } from '../../util/random-id.js';
import { hashPassword } from '../passwords.js';
import { auditEvent } from './audit-parts.js';
import { type ControlContext, timestamp } from './context.js';

export interface FirstStart {
  adminEmail: string;
  /** Absent: one is made, and returned once. */
  adminPassword?: string;
}

/**
 * Makes the organisation and its administrator at the first start, in one transaction. Returns the password that was made
 * up, which is stored nowhere. Throws `conflict` where the state belongs to another organisation.
 */
export async function setUpOrganisation(
  ctx: Pick<ControlContext, 'store' | 'org' | 'now'>,
  { adminEmail, adminPassword }: FirstStart,
): Promise<{ created: boolean; generatedPassword: string | null }> {
  const existing = await ctx.store.organisation.get();
  if (existing) {
    if (existing.slug === ctx.org) return { created: false, generatedPassword: null };
    throw new VkitError(
      'conflict',
      `This state belongs to the organisation ${existing.slug}, not ${ctx.org}.`,
      {
        hint: `Start with --org ${existing.slug}, or name another --data-dir.`,
      },
    );
  }
  const generated = adminPassword === undefined ? randomBytes(18).toString('base64url') : null;
  const passwordHash = await hashPassword(adminPassword ?? generated ?? '');
  const at = timestamp(ctx.now());
  await ctx.store.transaction(async (tx) => {
    await tx.organisation.create({
      slug: ctx.org,
      epoch: 0,
      highest_sequence: null,
      created_at: at,
    });
    const id = randomId('usr');
    await tx.users.insert({
      id,
      email: adminEmail.trim().toLowerCase(),
      password_hash: passwordHash,
      roles: ['admin'],
      clearance: null,
      region: null,
      purposes: [],
      created_at: at,
      disabled_at: null,
      login: 'password',
      oidc_subject: null,
    });
    const event = auditEvent(ctx, 'organisation.created', { correlationId: randomId('cor') }, null);
    await tx.audit.append({
      ...event,
      metadata: { org: ctx.org, admin_id: id, admin_email: adminEmail },
    });
  });
  return { created: true, generatedPassword: generated };
}
