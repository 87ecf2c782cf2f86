import { describe, expect, it } from 'vitest';
import { maskSecrets, maskSecretsIn, shownKey } from '../../src/util/mask-secrets.js';

const SECRET = 'hunter2hunter2hunter2hunter2hunter2';

describe('maskSecrets', () => {
  it.each([
    `The dataset "postgres://app:${SECRET}@db/shop" is not known.`,
    `postgres://app:p@ss/${SECRET}@db.internal:5432/shop`,
    `https://${SECRET}@example.com/x`,
    `names \`host=db password=${SECRET}\`, which`,
    `API_KEY = ${SECRET}`,
    `ghp_${SECRET}`,
    `the id vks_${SECRET}`,
    `eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbmEifQ.${SECRET}`,
    `-----BEGIN PRIVATE KEY-----\n${SECRET}\n-----END PRIVATE KEY-----`,
    `-----BEGIN EC PRIVATE KEY----- ${SECRET}`,
  ])('takes the secret out of %j', (text) => {
    expect(maskSecrets(text)).not.toContain(SECRET);
    expect(maskSecrets(text)).toContain('***');
  });

  it.each([
    'Write postgres://USER:PASSWORD@HOST/DATABASE',
    'Install Git 2.25 or newer: https://git-scm.com/downloads',
    'VKIT_DS_SHOP_PASSWORD=… vkit demo',
    'The field "password" is not in the registry, nor is ana@example.com.',
    'sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  ])('leaves %j', (text) => {
    expect(maskSecrets(text)).toBe(text);
  });

  it('masks keys and values of data, at any depth that is shown', () => {
    const deep = { problems: [{ pointer: `/https:~1~1x`, message: `ghp_${SECRET}` }] };
    expect(JSON.stringify(maskSecretsIn({ [`ghp_${SECRET}`]: deep }))).not.toContain(SECRET);
    let nested: unknown = SECRET;
    for (let level = 0; level < 50; level += 1) nested = { nested };
    expect(JSON.stringify(maskSecretsIn(nested))).not.toContain(SECRET);
  });

  it('takes no longer for a text that is made to take long', () => {
    const before = performance.now();
    maskSecrets('a://'.repeat(20_000));
    maskSecrets('a://b:'.repeat(20_000));
    expect(performance.now() - before).toBeLessThan(2_000);
  });
});

describe('shownKey', () => {
  it.each(['emial', 'db.host', 'customer_address_line_2', 'Kunden Nr'])('shows %s', (key) => {
    expect(shownKey(key)).toBe(key);
  });

  it.each(['postgres://a:b@c', SECRET, 'x'.repeat(65), 'line\nbreak', `token=${SECRET}`])(
    'does not show %j',
    (key) => {
      expect(shownKey(key)).toBe('(not shown)');
    },
  );
});
