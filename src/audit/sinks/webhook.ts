import { VkitError } from '../../errors/index.js';
import { checkOutboundUrl } from '../../util/outbound.js';
import { createOutboundFetch } from '../../util/outbound-fetch.js';
import { readWebhookSecret, signWebhook } from '../../util/sign-webhook.js';
import type { SinkBatch, SinkSettings, SinkType } from './contract.js';
import { readSecret } from './read-secret.js';

export interface WebhookSinkSettings extends SinkSettings {
  url: string;
  /** The variable or the file with the secret; the server makes and keeps one where neither is named. */
  secret_env?: string;
  secret_file?: string;
}

const TIMEOUT_MS = 30_000;

/**
 * Entries as the body of a POST, signed as Standard Webhooks says; delivered once the answer is 2xx. Its `webhook-id` is the same
 * for each attempt at one batch.
 */
export const webhookSink: SinkType<WebhookSinkSettings> = {
  batchMax: 200,
  lingerSeconds: 0,
  isKept: true,
  async open(settings, { org, rules, proxy, variable, ownSecret, now }) {
    const { name, secret_env: env, secret_file: file } = settings;
    const url = checkOutboundUrl(settings.url, `the sink ${name}`, rules);
    const label = `the secret of the sink ${name}`;
    const secret =
      (await readSecret({ env, file }, label, { variable })) ?? (await ownSecret(name));
    const key = readWebhookSecret(secret, label);
    const client = createOutboundFetch({ rules, ...(proxy === undefined ? {} : { proxy }) });
    return {
      async deliver(batch, signal) {
        const body = bodyOf(org, batch);
        const signed = { id: idOf(batch), timestampSeconds: Math.floor(now() / 1000), body };
        const { status } = await client.fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...signWebhook(key, signed) },
          body,
          signal,
          timeoutMs: TIMEOUT_MS,
          bodyBytesMax: 0,
        });
        if (status >= 200 && status < 300) return;
        const why = status >= 300 && status < 400 ? ', and redirects are not followed' : '';
        throw new VkitError('unavailable', `${url.hostname} answered ${status}${why}.`);
      },
      close: () => client.close(),
    };
  },
};

function idOf(batch: SinkBatch): string {
  const [first, last] = [batch[0], batch.at(-1)];
  return `audit_${first?.seq}_${last?.seq}_${last?.kind}_${last?.hash.slice(0, 16)}`;
}

/** The lines as they are: a record that was parsed and printed again could look otherwise than what its hash is over. */
function bodyOf(org: string, batch: SinkBatch): string {
  const records = batch.filter(({ kind }) => kind === 'record').map(({ line }) => line);
  const checkpoints = batch
    .filter(({ kind }) => kind === 'checkpoint')
    .map(({ line }) => line.slice('{"checkpoint":'.length, -1));
  return `{"type":"audit.records","org":${JSON.stringify(org)},"records":[${records.join(',')}],"checkpoints":[${checkpoints.join(',')}]}`;
}
