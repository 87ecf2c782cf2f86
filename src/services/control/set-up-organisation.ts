import { randomBytes } from 'node:crypto';
import { VkitError } from '../../errors/index.js';
import type { OrganisationRow } from '../../store/model.js';
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
  const there = { created: false, generatedPassword: null };
  if (isThere(ctx, await ctx.store.organisation.get())) return there;
  const generated = adminPassword === undefined ? randomBytes(18).toString('base64url') : null;
  const passwordHash = await hashPassword(adminPassword ?? generated ?? '');
  const at = timestamp(ctx.now());
  const created = await ctx.store.transaction(async (tx) => {
    // Another process that started at this moment has made it.
    if (isThere(ctx, await tx.organisation.get())) return false;
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
    return true;
  });
  return created ? { created, generatedPassword: generated } : there;
}

function isThere({ org }: { org: string }, existing: OrganisationRow | null): boolean {
  if (!existing) return false;
  if (existing.slug === org) return true;
  throw new VkitError(
    'conflict',
    `This state belongs to the organisation ${existing.slug}, not ${org}.`,
    { hint: `Start with --org ${existing.slug}, or name another --data-dir.` },
  );
}
