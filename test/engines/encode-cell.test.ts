import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CellValue, cellEncoder } from '../../src/engines/encode-cell.js';
import { FIELD_TYPES } from '../../src/schema/field-type.js';

describe('a cell as JSON', () => {
  const cases: [type: string, value: CellValue, json: string][] = [
    ['integer', '9007199254740991', '9007199254740991'],
    ['integer', '-9007199254740992', '"-9007199254740992"'],
    ['bigint', '007', '7'],
    ['bigint', 9007199254740993n, '"9007199254740993"'],
    ['numeric', '0.00', '0'],
    ['numeric', '-0.10', '-0.1'],
    ['numeric', '123456789012345', '123456789012345'],
    ['numeric', '1234567890123456', '"1234567890123456"'],
    ['numeric', '1234567890123450.00', '1234567890123450'],
    ['numeric', '0.1234567890123456', '"0.1234567890123456"'],
    ['numeric', '1e-400', `"0.${'0'.repeat(399)}1"`],
    ['numeric', '1e999999', '"1e999999"'],
    ['numeric', 'NaN', '"NaN"'],
    ['numeric', '', '""'],
    ['numeric', '.', '"."'],
    ['numeric', 12n, '12'],
    ['double', '1e+22', '1e+22'],
    ['double', '1.2345678901234567e+19', '"12345678901234567000"'],
    ['double', '5e-324', '"5e-324"'],
    ['double', '-Infinity', '"-Infinity"'],
    ['double', 'abc', '"abc"'],
    ['double', Number.NaN, '"NaN"'],
    ['boolean', 't', 'true'],
    ['boolean', 'f', 'false'],
    ['boolean', 2n, '2'],
    ['boolean', 'maybe', '"maybe"'],
    ['text', '\ud800', '"\\ud800"'],
    ['text', 5n, '"5"'],
    ['text', 0.5, '"0.5"'],
    ['text', Buffer.from('ab'), '"YWI="'],
    ['timestamp', '2026-03-01', '"2026-03-01T00:00:00Z"'],
    ['timestamp', '2026-03-01T10:00', '"2026-03-01T10:00:00Z"'],
    ['timestamp', '2026-03-01 10:00:00.500', '"2026-03-01T10:00:00.5Z"'],
    ['timestamptz', '2026-03-01 10:00:00.000+02', '"2026-03-01T08:00:00Z"'],
    ['timestamptz', '1890-01-01 00:00:00.000001+00', '"1890-01-01T00:00:00.000001Z"'],
    ['timestamptz', '2026-01-01 00:00:00-00:30', '"2026-01-01T00:30:00Z"'],
    ['timestamptz', '9999-12-31 23:59:59-01', '"9999-12-31 23:59:59-01"'],
    ['timestamptz', '0044-03-15 00:00:00+00 BC', '"0044-03-15 00:00:00+00 BC"'],
    ['timestamp', 'yesterday', '"yesterday"'],
    ['json', ' { "a" : "x  \\" y" , "n" : 1.10 } ', '{"a":"x  \\" y","n":1.10}'],
    ['json', '{"a": "\ud800"}', '"{\\"a\\": \\"\\ud800\\"}"'],
    ['json', '{"a": 1} x', '"{\\"a\\": 1} x"'],
    ['bytes', 'text', '"dGV4dA=="'],
    ['bytes', new Uint8Array(), '""'],
    ['other', null, 'null'],
  ];

  for (const [type, value, json] of cases) {
    it(`writes the ${type} ${typeof value === 'string' ? JSON.stringify(value) : String(value)} as ${json.slice(0, 40)}`, () => {
      expect(cellEncoder(type)(value)).toBe(json);
    });
  }

  it('is JSON for every value in a column of every type', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.double(),
      fc.bigInt(),
      fc.boolean(),
      fc.uint8Array(),
      fc.constant(null),
      fc.json(),
      fc.double().map(String),
    );
    const type = fc.constantFrom(...Object.keys(FIELD_TYPES), 'text[]', 'unheard of');
    fc.assert(
      fc.property(type, value, (name, cell) => {
        JSON.parse(cellEncoder(name)(cell));
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps the value of every decimal', () => {
    const decimal = fc
      .tuple(fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), fc.nat({ max: 20 }))
      .map(([units, scale]) => ({ units, scale }));
    fc.assert(
      fc.property(decimal, ({ units, scale }) => {
        const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
        const at = digits.length - scale;
        const text = `${units < 0n ? '-' : ''}${digits.slice(0, at)}.${digits.slice(at)}`;
        const parsed: unknown = JSON.parse(cellEncoder('numeric')(text));
        // An exact number: units and tens, read back from what a client sees.
        const [mantissa = '', exponent = '0'] = String(parsed).split('e');
        const [whole = '', fraction = ''] = mantissa.split('.');
        const shift = Number(exponent) - fraction.length + 40;
        expect(BigInt(whole + fraction) * 10n ** BigInt(shift)).toBe(
          units * 10n ** BigInt(40 - scale),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('escapes text as JSON does', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string());
    fc.assert(
      fc.property(text, (value) => {
        expect(cellEncoder('text')(value)).toBe(JSON.stringify(value));
      }),
      { numRuns: 2_000 },
    );
    for (const value of ['\ud800', '\udc00x', '"', '\\', '\u001f', '\u007f', '\u2028', '🦆', '']) {
      expect(cellEncoder('text')(value)).toBe(JSON.stringify(value));
    }
  });
});
