import { scryptSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  hashPassword,
  verifyAgainstNothing,
  verifyPassword,
} from '../../src/services/passwords.js';

const PASSWORD = 'correct horse battery';

/** A hash made by node:crypto with a small cost, as one from another installation could be. */
function encoded(password: string): string {
  const salt = Buffer.from('0123456789abcdef');
  const hash = scryptSync(password, salt, 32, { N: 2 ** 10, r: 8, p: 1 });
  const text = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  return `$scrypt$ln=10,r=8,p=1$${text(salt)}$${text(hash)}`;
}

describe('a password', () => {
  it('is known by its hash and by no other, and never hashed twice to the same text', async () => {
    const [first, second] = await Promise.all([hashPassword(PASSWORD), hashPassword(PASSWORD)]);
    expect(first).toMatch(/^\$scrypt\$ln=17,r=8,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(first).not.toBe(second);
    expect(await verifyPassword(PASSWORD, first)).toBe(true);
    expect(await verifyPassword(`${PASSWORD} `, first)).toBe(false);
  });

  it('has the hash that scrypt gives (RFC 7914), whatever cost the hash was made with', async () => {
    expect(await verifyPassword(PASSWORD, encoded(PASSWORD))).toBe(true);
    expect(await verifyPassword('another password', encoded(PASSWORD))).toBe(false);
  });

  it('is the same however its letters are composed', async () => {
    const hash = encoded('pässwörd-lang-genug'.normalize('NFKC'));
    expect(await verifyPassword('pässwörd-lang-genug'.normalize('NFD'), hash)).toBe(true);
  });

  it.each([
    ['too short', 'elevenchars'],
    ['too long', 'x'.repeat(257)],
    ['not text', 'long enough \ud800 but'],
  ])('that is %s is refused without being repeated', async (_name, password) => {
    const refused = await hashPassword(password).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'validation' });
    expect(String(refused)).not.toContain(password);
  });

  it('counts characters, not bytes', async () => {
    await expect(hashPassword('🔑'.repeat(11))).rejects.toMatchObject({ code: 'validation' });
    await expect(hashPassword('🔑'.repeat(12))).resolves.toContain('$scrypt$');
  });
});

describe('a stored hash that is none', () => {
  it.each([
    '',
    'plain',
    encoded(PASSWORD).replace('ln=10', 'ln=31'),
    encoded(PASSWORD).replace('r=8', 'r=99'),
    encoded(PASSWORD).replace('scrypt', 'argon2id'),
    encoded(PASSWORD).slice(0, -1),
  ])('lets nobody in: %s', async (hash) => {
    expect(await verifyPassword(PASSWORD, hash)).toBe(false);
  });
});

describe('an unknown user', () => {
  it('costs as much as a known one with a wrong password', async () => {
    const hash = await hashPassword(PASSWORD);
    const time = async (work: () => Promise<unknown>) => {
      const start = process.cpuUsage();
      await work();
      const { user, system } = process.cpuUsage(start);
      return user + system;
    };
    const known = await time(() => verifyPassword('a wrong password', hash));
    const unknown = await time(() => verifyAgainstNothing());
    const long = await time(() => verifyPassword('x'.repeat(5_000), hash));
    for (const other of [unknown, long]) {
      expect(other / known).toBeGreaterThan(0.4);
      expect(other / known).toBeLessThan(2.5);
    }
  });
});

describe('many logins at once', () => {
  it('wait for their turn up to a bound and are refused beyond it', async () => {
    const hash = encoded(PASSWORD);
    const all = await Promise.allSettled(
      Array.from({ length: 80 }, () => verifyPassword(PASSWORD, hash)),
    );
    const refused = all.filter((one) => one.status === 'rejected');
    expect(refused).toHaveLength(80 - 66);
    for (const one of refused) expect(one.reason).toMatchObject({ code: 'rate_limited' });
    expect(all.filter((one) => one.status === 'fulfilled' && one.value)).toHaveLength(66);
  });
});
