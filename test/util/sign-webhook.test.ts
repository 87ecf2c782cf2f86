import { describe, expect, it } from 'vitest';
import { isWebhookSignature, readWebhookSecret, signWebhook } from '../../src/util/sign-webhook.js';

describe('the signature of a webhook', () => {
  it('is the one of the example of Standard Webhooks', () => {
    const key = readWebhookSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'secret');
    const headers = signWebhook(key, {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestampSeconds: 1614265330,
      body: '{"test": 2432232314}',
    });
    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('is of exactly this id, time, body and key', () => {
    const key = Buffer.alloc(32, 1);
    const message = { id: 'a', timestampSeconds: 1, body: 'b' };
    const signature = signWebhook(key, message)['webhook-signature'] ?? '';
    expect(isWebhookSignature(key, message, `v1,AAAA v2,x ${signature}`)).toBe(true);
    for (const changed of [{ id: 'c' }, { timestampSeconds: 2 }, { body: 'c' }]) {
      expect(isWebhookSignature(key, { ...message, ...changed }, signature)).toBe(false);
    }
    expect(isWebhookSignature(Buffer.alloc(32, 2), message, signature)).toBe(false);
    expect(isWebhookSignature(key, message, '')).toBe(false);
  });

  it('needs a secret that nobody guesses, and names its key', () => {
    expect(() => readWebhookSecret('short', 'audit.sinks[0].secret')).toThrow(
      'audit.sinks[0].secret',
    );
    expect(() => readWebhookSecret('whsec_AAAA', 'x')).toThrow(/24 bytes/);
  });
});
