import type { InstalledPack } from '../bundle/model.js';
import type { DeployAnswer, ShownBundle } from '../client/wire.js';
import type { Policy } from '../policy/model.js';
import { escapeTerminal } from '../util/escape.js';
import { formatMoment, formatTime, renderFacts } from './facts.js';
import { renderTable } from './table.js';
import { terminalWidth } from './terminal-width.js';

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

/** What people see next of a bundle that became active. */
export const NEXT_AFTER_ACTIVATION = 'Next: vkit policy list';

/** Of an activation that was none: also the reason that was given for it is nowhere kept. */
export function activeAlready({ version }: DeployAnswer): string {
  return `${version} was active already; nothing changed, and nothing was recorded.`;
}

/** All that the server knows of a version, but its policies. */
export function reportShownBundle(shown: ShownBundle, packs: readonly InstalledPack[]): string {
  const { expires_at: expires, activated_at: activated } = shown;
  const facts = renderFacts([
    ['state', shown.state],
    [shown.state === 'active' ? 'not served' : 'not to be activated', shown.refusal?.message],
    ['sequence', shown.sequence],
    ['commit', shown.bundle_version],
    ['checksum', shown.checksum],
    ['signed by key', shown.key_id ?? 'nobody'],
    ['expires', expires === null ? 'never' : formatMoment(expires, Date.now())],
    ['packs', packs.map(({ name, version }) => `${name} ${version}`).join(', ')],
    ['uploaded', by(shown.uploaded_at, shown.uploaded_by_email ?? shown.uploaded_by)],
    [
      'activated',
      activated === null ? null : by(activated, shown.activated_by_email ?? shown.activated_by),
    ],
    ['reason', shown.reason],
  ]);
  return `${escapeTerminal(shown.version)}\n${facts}`;
}

const DESCRIPTION_CHARACTERS_MAX = 60;

/** Policies in the order of the bundle; on a terminal their descriptions are shortened. */
export function reportPolicies(policies: readonly Policy[]): string {
  if (policies.length === 0) return 'It has no policies: the default action holds.';
  return renderTable(policies, [
    { heading: 'policy', value: ({ id }) => id },
    { heading: 'action', value: ({ action }) => action },
    { heading: 'priority', value: ({ priority }) => priority, align: 'right' },
    {
      heading: 'description',
      value: ({ description = '' }) =>
        terminalWidth() === null ? description : shortened(description),
      below: true,
    },
  ]);
}

function by(time: string, who: string | null): string {
  return who === null ? formatTime(time) : `${formatTime(time)} by ${who}`;
}

function shortened(text: string): string {
  const characters = [...text];
  if (characters.length <= DESCRIPTION_CHARACTERS_MAX) return text;
  return `${characters.slice(0, DESCRIPTION_CHARACTERS_MAX - 1).join('')}…`;
}
