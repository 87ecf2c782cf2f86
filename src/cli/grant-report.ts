import type { GrantBody } from '../client/wire.js';
import { escapeTerminal } from '../util/escape.js';
import { formatMoment, renderFacts } from './facts.js';

/** A grant for people. */
export function reportGrant(grant: GrantBody, now: number): string {
  const facts = renderFacts([
    ['state', grant.state],
    ['request', grant.request_id],
    [
      Date.parse(grant.expires_at) <= now ? 'expired' : 'expires',
      formatMoment(grant.expires_at, now),
    ],
    ['revoked', grant.revoked_at === null ? null : momentOfThePast(grant.revoked_at, now)],
    ['reason', grant.reason],
  ]);
  return `${escapeTerminal(grant.grant_ref)}\n${facts}`;
}

/** The server's clock may be ahead of this one; what has happened is never still to come. */
function momentOfThePast(moment: string, now: number): string {
  return formatMoment(moment, Math.max(now, Date.parse(moment) || now));
}
