import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  SQLITE_AGGREGATES,
  SQLITE_FUNCTIONS,
  type SqliteValue,
} from '../../../src/engines/sqlite/functions.js';

function call(name: string, ...values: SqliteValue[]): SqliteValue {
  const found = SQLITE_FUNCTIONS.find((one) => one.name === name);
  if (found === undefined) throw new Error(name);
  return found.run(...values);
}

function total(name: string, ...values: SqliteValue[]): SqliteValue {
  const found = SQLITE_AGGREGATES.find((one) => one.name === name);
  if (found === undefined) throw new Error(name);
  return found.result(
    values.reduce<number>((state, value) => found.step(state, value), found.start()),
  );
}

/** One of every storage class, with the values at their edges. */
const VALUES: SqliteValue[] = [
  null,
  '',
  'a',
  '🦆'.repeat(3),
  'not a number',
  '9'.repeat(5_000),
  '1e999999',
  0n,
  -(2n ** 63n),
  0.1,
  -0,
  5e-324,
  1.7976931348623157e308,
  Number.POSITIVE_INFINITY,
  new Uint8Array(),
  new Uint8Array([0xff, 0, 0xc3]),
];

describe('the functions on a SQLite connection', () => {
  it('never fail, whatever a column holds', () => {
    for (const { run, arity } of SQLITE_FUNCTIONS) {
      for (const first of VALUES) {
        for (const second of arity === 1 ? [null] : VALUES)
          expect(() => run(first, second)).not.toThrow();
      }
    }
    for (const { name } of SQLITE_AGGREGATES) expect(() => total(name, ...VALUES)).not.toThrow();
  });

  it('keep NULL', () => {
    for (const { name, run } of SQLITE_FUNCTIONS) {
      if (name !== 'vkit_concat') expect(run(null, 'x')).toBeNull();
    }
  });

  it('count characters by code point', () => {
    expect(call('vkit_char_length', 'naïve🦆')).toBe(6n);
    expect(call('vkit_left', '🦆🦆🦆', 2n)).toBe('🦆🦆');
    expect(call('vkit_right', 'ab🦆', 2n)).toBe('b🦆');
    expect(call('vkit_right', 'ab', 0n)).toBe('');
    expect(call('vkit_right', 'ab', 9n)).toBe('ab');
  });

  it('hash the UTF-8 bytes of a text', () => {
    const expected = createHash('sha256').update('naïve🦆', 'utf8').digest('hex');
    expect(call('vkit_sha256_hex', 'naïve🦆')).toBe(expected);
  });

  it.each<[SqliteValue, string]>([
    [12.5, '12.5'],
    [100n, '100'],
    ['100.00', '100'],
    ['-0.0010', '-0.001'],
    [1e21, '1000000000000000000000'],
    [1e-7, '0.0000001'],
    [-0, '0'],
    ['abc', 'abc'],
  ])('write the number %s as %s', (value, expected) => {
    expect(call('vkit_decimal_text', value)).toBe(expected);
  });

  it('bring timestamps into one spelling', () => {
    const moment = '2026-03-01T10:00:00';
    for (const text of [
      '2026-03-01 10:00:00',
      '2026-03-01T10:00:00.000Z',
      '2026-03-01T12:00+02:00',
      moment,
    ]) {
      expect(call('vkit_timestamp', text)).toBe(moment);
    }
    expect(call('vkit_timestamp', '2026-03-01 10:00:00.500')).toBe(`${moment}.5`);
    expect(call('vkit_timestamp', 'yesterday')).toBe('yesterday');
    expect(call('vkit_timestamp', 1_767_225_600n)).toBe(1_767_225_600n);
  });

  it.each<[string, string, boolean]>([
    ['abc', 'abc', true],
    ['abc', 'ABC', false],
    ['abc', 'a%', true],
    ['abc', '%c', true],
    ['abc', '%b%', true],
    ['abc', '_b_', true],
    ['🦆', '_', true],
    ['', '%', true],
    ['', '_', false],
    ['a%c', 'a\\%c', true],
    ['abc', 'a\\%c', false],
    ['a\\b', 'a\\\\b', true],
    ['aXbXc', 'a%X%c', true],
    ['aab', '%ab', true],
    ['abab', '%ab', true],
    ['line\nbreak', 'line%', true],
    ['ab', 'ab\\', false],
    ['ab', 'abc', false],
  ])('match %j LIKE %j: %s', (text, pattern, expected) => {
    expect(call('vkit_like', text, pattern)).toBe(expected ? 1n : 0n);
  });

  it('match a hostile pattern in time', () => {
    const startedAt = performance.now();
    expect(call('vkit_like', 'a'.repeat(20_000), `${'%a'.repeat(500)}b`)).toBe(0n);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('add up exactly, in any order', () => {
    expect(total('vkit_sum', 0.1, 0.2)).toBe('0.3');
    expect(total('vkit_sum', 2n ** 63n - 1n, 1n)).toBe('9223372036854775808');
    expect(total('vkit_sum', 1e308, -1e308, 1e-300, '2.50', null)).toBe(
      total('vkit_sum', '2.50', 1e-300, -1e308, null, 1e308),
    );
    expect(total('vkit_sum', Number.POSITIVE_INFINITY, 1)).toBe('Infinity');
    expect(total('vkit_sum', Number.POSITIVE_INFINITY, 1, Number.NEGATIVE_INFINITY)).toBe('NaN');
    expect(total('vkit_sum', null, null)).toBeNull();
    expect(total('vkit_sum')).toBeNull();
  });

  // Expected values come from PostgreSQL 15: select trim_scale(avg(x)) from unnest(array[…]::numeric[]) x.
  it.each<[expected: string, values: SqliteValue[]]>([
    ['1.5', [1n, 2n]],
    ['1.3333333333333333', [1n, 1n, 2n]],
    ['0.66666666666666666667', [0n, 1n, 1n]],
    ['-0.66666666666666666667', [-1n, -1n, 0n]],
    ['0.000033333333333333333333', ['0.0001', 0n, 0n]],
    ['33333333333333333334', ['100000000000000000000', 1n, 1n]],
    ['4115.8926666666666667', ['12345.678', '1', '1']],
  ])('average to %s', (expected, values) => {
    expect(total('vkit_avg', ...values)).toBe(expected);
  });
});
