import { describe, expect, it } from 'vitest';
import { countValues, whatValuesSay } from '../../src/schema/classification/count-values.js';
import { VALUE_CHECKS } from '../../src/schema/classification/value-checks.js';

/** What passes a check, and what is near to it and must not. Card numbers are those that issuers publish for tests. */
const VALUES: Record<string, { pass: readonly string[]; fail: readonly string[] }> = {
  luhn: {
    pass: [
      '4111111111111111',
      '5555-5555-5555-4444',
      '378282246310005',
      '6011 1111 1111 1117',
      '30569309025904',
      '2223003122003222',
    ],
    fail: [
      '4111111111111112',
      '0000000000000000',
      '411111111111',
      '1234567812345670',
      '4111111111111111x',
      '4'.repeat(40),
    ],
  },
  iban_mod_97: {
    pass: ['GB82 WEST 1234 5698 7654 32', 'DE89370400440532013000', 'fr1420041010050500013m02606'],
    fail: ['GB82WEST12345698765433', 'DE8937040044053201300', 'GB82', `GB82${'1'.repeat(60)}`],
  },
  email_value: {
    pass: ['ada@example.com', 'a.b+c@mail.example.co.uk'],
    fail: [
      'ada@example',
      '@example.com',
      'ada example.com',
      'a@b@example.com',
      'ada@-example.com',
      `${'a'.repeat(65)}@example.com`,
    ],
  },
  e164_value: {
    pass: ['+4930123456', '+1 (415) 555-0132'],
    fail: ['4930123456', '+0123456789', '+12345', '+1234567890123456', '2026-11-25'],
  },
  ip_value: {
    pass: ['192.0.2.7', '255.255.255.255', '2001:db8::7', '::1', '::ffff:192.0.2.1'],
    fail: [
      '192.0.2',
      '192.0.2.256',
      '1.2.3.4.5',
      '1.2.3.4.',
      '12:30',
      'abc',
      '2001:db8:::7',
      ':::',
    ],
  },
  credential_value: {
    pass: [
      'AKIAIOSFODNN7EXAMPLE',
      'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x',
      '-----BEGIN RSA PRIVATE KEY-----\nMIIE',
      '$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW',
    ],
    fail: ['AKIA', 'eyJ', 'ghp_short', '-----BEGIN CERTIFICATE-----', '$2b$', 'sk_live_'],
  },
};

describe('the checks of sampled values', () => {
  for (const check of VALUE_CHECKS) {
    it(`${check.id}: ${check.does}`, () => {
      const { pass = [], fail = [] } = VALUES[check.id] ?? {};
      expect(pass.length * fail.length).toBeGreaterThan(0);
      expect(pass.filter((value) => !check.passes(value))).toEqual([]);
      expect(fail.filter((value) => check.passes(value))).toEqual([]);
    });
  }

  it('count where a fifth of the values pass, of credentials where one does', () => {
    const among = (value: string, others: number) =>
      whatValuesSay(countValues([value, ...Array<string>(others).fill('word')])).map(
        ({ because }) => because,
      );
    expect(among('4111111111111111', 4)).toEqual(['1 of 5 sampled values pass Luhn (luhn)']);
    expect(among('4111111111111111', 5)).toEqual([]);
    expect(among('AKIAIOSFODNN7EXAMPLE', 999)).toHaveLength(1);
    expect(whatValuesSay(countValues([]))).toEqual([]);
    expect(whatValuesSay(countValues(['', '  ']))).toEqual([]);
  });

  it('take no number for a card by chance', () => {
    let state = 7;
    const digit = () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * 10);
    };
    const values = Array.from({ length: 1_000 }, () => Array.from({ length: 16 }, digit).join(''));
    expect(whatValuesSay(countValues(values))).toEqual([]);
  });

  it('need a bounded time for a hostile value', () => {
    const startedAt = performance.now();
    for (const unit of ['a@', '1.', ':', '4-', 'a.', '+(', 'eyJ'])
      countValues([unit.repeat(1_000_000)]);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
