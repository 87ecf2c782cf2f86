import { VkitError } from '../errors/index.js';
import { checkOutboundUrl } from '../util/outbound.js';
import type { ChannelSettings, ChannelType, SecretSource } from './channel.js';
import { notTaken } from './delivery-failure.js';
import { describeNotice, type Notice } from './notice.js';

export interface TelegramConfig extends ChannelSettings {
  type: 'telegram';
  /** The bot's token. */
  token: SecretSource;
  /** Of a chat, as a number or `@name` of a channel. */
  chat_id: string;
  /** Of a Bot API server of one's own; absent: Telegram's. */
  api_url?: string;
}

const API_URL = 'https://api.telegram.org';

/** `sendMessage` of Telegram's Bot API, which answers `{"ok": true}`. */
export const telegram: ChannelType<TelegramConfig> = {
  open(config, key, { fetch, rules, secret }) {
    const api = checkOutboundUrl(config.api_url ?? API_URL, `${key}.api_url`, rules);
    const token = async () => {
      const text = await secret(config.token, `${key}.token`);
      if (/^\d{1,20}:[\w-]{1,128}$/.test(text)) return text;
      throw new VkitError('config_invalid', `${key}.token is not the token of a bot.`, {
        hint: 'It reads like 123456:ABC-DEF, as @BotFather gave it.',
      });
    };
    return {
      async check() {
        await token();
      },
      async send({ id, notice }, signal) {
        const url = new URL(`${api.href.replace(/\/$/, '')}/bot${await token()}/sendMessage`);
        const body = JSON.stringify({
          chat_id: config.chat_id,
          text: telegramText(id, notice),
          parse_mode: 'HTML',
          link_preview_options: { is_disabled: true },
        });
        const headers = { 'content-type': 'application/json' };
        const answer = await fetch(url, { method: 'POST', headers, body, signal });
        const told = readAnswer(answer.body);
        if (answer.status !== 200 || told.ok !== true) {
          throw notTaken('Telegram', answer, told.description, told.parameters?.retry_after);
        }
      },
    };
  },
};

interface TelegramAnswer {
  ok?: unknown;
  description?: string;
  parameters?: { retry_after?: number };
}

function readAnswer(body: string): TelegramAnswer {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    // Something in between answered: it did not take the message.
    return {};
  }
}

/** HTML as Telegram reads it. What others named stands in `code`, where names and addresses become no mentions or links. */
export function telegramText(id: string, notice: Notice): string {
  const { title, facts, commands } = describeNotice(notice);
  return [
    `<b>${escapeHtml(title)}</b>`,
    ...facts.map(([name, value]) => `${escapeHtml(name)}: <code>${escapeHtml(value)}</code>`),
    ...commands.map((command) => `<pre>${escapeHtml(command)}</pre>`),
    `<code>${escapeHtml(id)}</code>`,
  ].join('\n');
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
