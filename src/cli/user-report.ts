import type { UserBody } from '../client/wire.js';
import { escapeTerminal } from '../util/escape.js';
import { renderFacts } from './facts.js';

/** A user's account for people. */
export function reportUser(user: UserBody): string {
  const facts = renderFacts([
    ['state', user.state],
    ['login', user.login],
    ['roles', user.roles.join(', ') || 'none'],
    ['clearance', user.clearance],
    ['region', user.region],
    ['purposes', user.purposes.join(', ')],
  ]);
  return `${escapeTerminal(user.email)}  ${escapeTerminal(user.id)}\n${facts}`;
}
