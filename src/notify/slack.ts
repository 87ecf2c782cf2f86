import { checkOutboundUrl } from '../util/outbound.js';
import type { ChannelSettings, ChannelType, SecretSource } from './channel.js';
import { notTaken } from './delivery-failure.js';
import { describeNotice, type Notice } from './notice.js';

export interface SlackConfig extends ChannelSettings {
  type: 'slack';
  /** The address of the incoming webhook, which is a secret itself. */
  url: SecretSource;
}

/** Of a section (Slack, "Block Kit"). */
const FIELDS_MAX = 10;

/** Slack's incoming webhooks, which answer 200 `ok`. */
export const slack: ChannelType<SlackConfig> = {
  open(config, key, { fetch, rules, secret }) {
    const address = async () =>
      checkOutboundUrl(await secret(config.url, `${key}.url`), `${key}.url`, rules);
    return {
      async check() {
        await address();
      },
      async send({ id, notice }, signal) {
        const url = await address();
        const body = JSON.stringify(slackMessage(id, notice));
        const headers = { 'content-type': 'application/json; charset=utf-8' };
        const answer = await fetch(url, { method: 'POST', headers, body, signal });
        if (answer.status !== 200) throw notTaken('Slack', answer, answer.body.trim());
      },
    };
  },
};

/**
 * What others named stands in `plain_text` objects, where nothing is a mention, a link or a command; in the text for
 * notifications `&`, `<` and `>` are escaped, which is all that Slack reads in it.
 */
export function slackMessage(id: string, notice: Notice) {
  const { title, facts, commands } = describeNotice(notice);
  const plain = (text: string) => ({ type: 'plain_text', text, emoji: false });
  return {
    text: escapeSlack(`${title}: ${notice.request_id}`),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: plain(title) },
      {
        type: 'section',
        fields: facts.slice(0, FIELDS_MAX).map(([name, value]) => plain(`${name}: ${value}`)),
      },
      {
        type: 'section',
        text: {
          type: 'mrkdwn',
          text: commands.map((command) => `\`${escapeSlack(command)}\``).join('\n'),
          verbatim: true,
        },
      },
      { type: 'context', elements: [plain(id)] },
    ],
  };
}

/** Slack's own three, "Escaping text". */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
