import { describe, expect, it } from 'vitest';
import { bindValue } from '../../src/aql/bind-value.js';
import type { FieldKind } from '../../src/schema/field-type.js';

function bound(value: unknown, kind: FieldKind): unknown {
  const result = bindValue(value, kind);
  return 'value' in result ? result.value : undefined;
}

describe('bindValue', () => {
  it.each<[FieldKind, unknown, unknown]>([
    ['integer', 5, '5'],
    ['integer', -0, '0'],
    ['integer', '-9223372036854775808', '-9223372036854775808'],
    ['integer', '0009', '9'],
    ['numeric', '12.500', '12.5'],
    ['numeric', '-0.0', '0'],
    ['numeric', 1e-7, '0.0000001'],
    ['numeric', 1.5e-7, '0.00000015'],
    ['numeric', '15000000000000000000000', '15000000000000000000000'],
    ['numeric', 9007199254740991, '9007199254740991'],
    ['numeric', -0.123456789012345, '-0.123456789012345'],
    ['numeric', 1.23456789012345e-20, '0.0000000000000000000123456789012345'],
    ['numeric', 100, '100'],
    ['numeric', '123456789012345678901234567890.5', '123456789012345678901234567890.5'],
    ['float', '1e3', 1000],
    ['float', 0.1, 0.1],
    ['boolean', false, false],
    ['text', '', ''],
    ['uuid', '123E4567-E89B-12D3-A456-426614174000', '123e4567-e89b-12d3-a456-426614174000'],
    ['date', '2000-02-29', '2000-02-29'],
    ['date', '0001-01-01', '0001-01-01'],
    ['time', '23:59:59.120', '23:59:59.12'],
    ['timestamptz', '2026-01-01T00:30:00.5+01:00', '2025-12-31T23:30:00.5Z'],
    ['timestamptz', '2026-01-01t00:30:00z', '2026-01-01T00:30:00Z'],
    ['timestamptz', '0099-03-01T00:00:00Z', '0099-03-01T00:00:00Z'],
    ['timestamp', '2026-01-01T00:30:00', '2026-01-01T00:30:00'],
    ['timestamp', '2026-01-01T00:30:00-05:00', '2026-01-01T05:30:00'],
  ])('binds %s %j as %j', (kind, value, expected) => {
    expect(bound(value, kind)).toEqual(expected);
  });

  it('binds base64 as bytes', () => {
    expect(bound('AAECAw==', 'bytes')).toEqual(new Uint8Array([0, 1, 2, 3]));
    expect(bound('', 'bytes')).toEqual(new Uint8Array());
  });

  it.each<[FieldKind, unknown]>([
    ['integer', 1.5],
    ['integer', 2 ** 53],
    ['integer', '9223372036854775808'],
    ['integer', '+5'],
    ['integer', ' 5'],
    ['integer', '5 OR 1=1'],
    ['integer', true],
    ['numeric', '1e5'],
    ['numeric', 'NaN'],
    ['numeric', '.'],
    ['numeric', '9'.repeat(101)],
    ['numeric', 1e300],
    // As numbers, these may have been written otherwise: 2^53 + 1 is 2^53 when JSON is read.
    ['numeric', 2 ** 53],
    ['numeric', -(2 ** 53)],
    ['numeric', 1e20],
    ['numeric', 0.1234567890123456],
    ['numeric', 0.1 + 0.2],
    ['numeric', Number.NaN],
    ['numeric', Number.POSITIVE_INFINITY],
    ['float', 'Infinity'],
    ['float', Number.NaN],
    ['float', '0x10'],
    ['boolean', 'true'],
    ['boolean', 1],
    ['text', 5],
    ['text', 'a\0'],
    ['text', '\udc00'],
    ['uuid', '123e4567e89b12d3a456426614174000'],
    ['date', '2023-02-29'],
    ['date', '1900-02-29'],
    ['date', '2023-13-01'],
    ['date', '2023-1-1'],
    ['date', '10000-01-01'],
    ['date', '0000-12-31'],
    ['time', '24:00'],
    ['time', '12:60'],
    ['time', '12:00:60'],
    ['timestamptz', '2026-01-01T00:00:00'],
    ['timestamptz', '2026-01-01'],
    ['timestamptz', '2026-01-01T00:00Z'],
    ['timestamptz', '2026-01-01T00:00:00.1234567Z'],
    ['timestamptz', '0001-01-01T00:00:00+00:01'],
    ['timestamptz', '9999-12-31T23:59:59-00:01'],
    ['timestamptz', 1767225600],
    ['bytes', 'AAECAw'],
    ['bytes', '!!!!'],
    ['bytes', [1, 2]],
    ['json', '{}'],
    ['array', '{}'],
    ['other', 'x'],
  ])('refuses for %s the value %j, without repeating it', (kind, value) => {
    const result = bindValue(value, kind);
    expect(result).toHaveProperty('message');
    expect('message' in result && result.message).toMatch(/^the value must be .+\.$/);
  });

  it('goes by the bounds of an engine, and says them', () => {
    const bounds = { integerMax: 2n ** 64n - 1n, digitsMax: 6, fractionDigitsMax: 2 };
    const bound = (value: unknown, kind: 'integer' | 'numeric') => bindValue(value, kind, bounds);
    expect(bound('18446744073709551615', 'integer')).toEqual({ value: '18446744073709551615' });
    expect(bound('18446744073709551616', 'integer')).toEqual({
      message:
        'the value must be a whole number from -2^63 to 2^64 - 1; beyond 2^53 write it as a string.',
    });
    expect(bound('-0001234.5600', 'numeric')).toEqual({ value: '-1234.56' });
    expect(bound(999999, 'numeric')).toEqual({ value: '999999' });
    for (const value of ['12345.67', '0.001', '1234567', 1e-3]) {
      expect(bound(value, 'numeric')).toEqual({
        message:
          'the value must be a decimal number of at most 6 digits, 2 of them after the point; beyond 15 digits write it as a string.',
      });
    }
  });
});
