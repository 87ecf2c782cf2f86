import type { Channel, ChannelDeps, ChannelType } from './channel.js';
import { type EmailConfig, email } from './email.js';
import { type SlackConfig, slack } from './slack.js';
import { type TelegramConfig, telegram } from './telegram.js';
import { type WebhookConfig, webhook } from './webhook.js';

/** Every channel by its type. */
export const CHANNELS = { webhook, slack, telegram, email } as const satisfies Record<
  string,
  ChannelType<never>
>;

export type ChannelConfig = WebhookConfig | SlackConfig | TelegramConfig | EmailConfig;

/** The channel of one part of the configuration, which was checked against its schema. Throws `config_invalid`. */
export function openChannel(config: ChannelConfig, deps: ChannelDeps): Channel {
  const type = CHANNELS[config.type] as ChannelType<ChannelConfig>;
  return type.open(config, `notifications.channels (${config.name})`, deps);
}
