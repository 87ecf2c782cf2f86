import { createSecretKey, type KeyObject, pbkdf2 } from 'node:crypto';
import { VkitError } from '../errors/index.js';
import { turnQueue } from '../util/turn-queue.js';

/** OWASP's count for PBKDF2-HMAC-SHA-256: a quarter of a second a key, beside the event loop. */
const ITERATIONS = 600_000;
const KEY_BYTES = 32;

/** Keys derived at once, on the threads that every file operation needs too, and callers waiting for their turn. */
const AT_ONCE = 2;
const WAITING_MAX = 256;

const turns = turnQueue({
  atOnce: AT_ONCE,
  waitingMax: WAITING_MAX,
  whenFull: () =>
    new VkitError('rate_limited', 'Too many secrets are opened at once.', {
      hint: 'Try again soon.',
    }),
});

/** A 256-bit key by PBKDF2-HMAC-SHA-256 (RFC 8018). */
export async function deriveKey(secret: Uint8Array, salt: Uint8Array): Promise<KeyObject> {
  await turns.take();
  try {
    return await new Promise((resolve, reject) => {
      pbkdf2(secret, salt, ITERATIONS, KEY_BYTES, 'sha256', (error, bytes) => {
        if (error) return reject(error);
        const key = createSecretKey(bytes);
        bytes.fill(0);
        resolve(key);
      });
    });
  } finally {
    turns.give();
  }
}
