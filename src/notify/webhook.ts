import { checkOutboundUrl } from '../util/outbound.js';
import { readWebhookSecret, signWebhook } from '../util/sign-webhook.js';
import type { ChannelSettings, ChannelType, SecretSource } from './channel.js';
import { notTaken } from './delivery-failure.js';
import { describeNotice } from './notice.js';

export interface WebhookConfig extends ChannelSettings {
  type: 'webhook';
  url: string;
  secret: SecretSource;
}

/** A signed POST of the notice as JSON, as Standard Webhooks 1.0.0 has it: any status from 200 to 299 takes it. */
export const webhook: ChannelType<WebhookConfig> = {
  open(config, key, { fetch, rules, secret, now }) {
    const url = checkOutboundUrl(config.url, `${key}.url`, rules);
    const signingKey = async () =>
      readWebhookSecret(await secret(config.secret, `${key}.secret`), `${key}.secret`);
    return {
      async check() {
        await signingKey();
      },
      async send({ id, notice }, signal) {
        const { commands } = describeNotice(notice);
        const { event, at, ...data } = notice;
        const body = JSON.stringify({
          type: event,
          timestamp: at,
          id,
          data: { ...data, command: commands[0] },
        });
        const signed = signWebhook(await signingKey(), {
          id,
          timestampSeconds: Math.floor(now() / 1000),
          body,
        });
        const headers = { 'content-type': 'application/json', 'user-agent': 'vkit', ...signed };
        const answer = await fetch(url, { method: 'POST', headers, body, signal });
        if (answer.status < 200 || answer.status > 299) throw notTaken(url.hostname, answer);
      },
    };
  },
};
