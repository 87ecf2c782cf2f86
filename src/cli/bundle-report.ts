import type { DeployAnswer } from '../client/wire.js';
import { escapeTerminal } from '../util/escape.js';
import { renderFacts } from './facts.js';

/** A version of the bundle on the server, for people. */
export function reportBundle(answer: DeployAnswer): string {
  const facts = renderFacts([
    ['state', answer.state],
    ['epoch', answer.epoch],
    ['sequence', answer.sequence],
    ['commit', answer.bundle_version],
    ['checksum', answer.checksum],
    ['reason', answer.reason],
  ]);
  return `${escapeTerminal(answer.version)}\n${facts}`;
}
