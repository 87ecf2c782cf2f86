import { createHmac, timingSafeEqual } from 'node:crypto';
import { VkitError } from '../errors/index.js';

export interface SignedMessage {
  /** The same for each attempt to deliver a message: a receiver that has seen it drops it. No full stop is in it. */
  id: string;
  /** Unix seconds of this attempt. */
  timestampSeconds: number;
  body: string;
}

/** Bytes; what is shorter can be guessed. */
const SECRET_BYTES_MIN = 24;
const ENCODED = 'whsec_';

/**
 * The key of a webhook's secret: the bytes of `whsec_` and base64, or the UTF-8 of any other text. Throws `config_invalid` that names
 * the key of the configuration for one that is too short.
 */
export function readWebhookSecret(secret: string, key: string): Buffer {
  const bytes = secret.startsWith(ENCODED)
    ? Buffer.from(secret.slice(ENCODED.length), 'base64')
    : Buffer.from(secret, 'utf8');
  if (bytes.length >= SECRET_BYTES_MIN) return bytes;
  throw new VkitError('config_invalid', `${key} has fewer than ${SECRET_BYTES_MIN} bytes.`, {
    hint: 'Make one: openssl rand -base64 32',
  });
}

/**
 * The headers that sign a message as Standard Webhooks 1.0.0 says: HMAC-SHA-256 over id, time and body, so that neither can be
 * changed and an old message is recognised.
 */
export function signWebhook(key: Buffer, message: SignedMessage): Record<string, string> {
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(message.timestampSeconds),
    'webhook-signature': `v1,${digest(key, message).toString('base64')}`,
  };
}

/** Whether one of the signatures of a `webhook-signature` header is this message's; in constant time. */
export function isWebhookSignature(key: Buffer, message: SignedMessage, header: string): boolean {
  const wanted = digest(key, message);
  return header.split(' ').some((signature) => {
    const given = Buffer.from(/^v1,(.*)$/.exec(signature)?.[1] ?? '', 'base64');
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}

function digest(key: Buffer, { id, timestampSeconds, body }: SignedMessage): Buffer {
  return createHmac('sha256', key).update(`${id}.${timestampSeconds}.${body}`, 'utf8').digest();
}
