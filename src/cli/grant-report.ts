import type { GrantBody } from '../client/wire.js';
import { escapeTerminal } from '../util/escape.js';
import { formatMoment, renderFacts } from './facts.js';

/** A grant for people. */
export function reportGrant(grant: GrantBody, now: number): string {
  const facts = renderFacts([
    ['state', grant.state],
    ['request', grant.request_id],
    ['expires', formatMoment(grant.expires_at, now)],
    ['revoked', grant.revoked_at === null ? null : formatMoment(grant.revoked_at, now)],
    ['reason', grant.reason],
  ]);
  return `${escapeTerminal(grant.grant_ref)}\n${facts}`;
}
