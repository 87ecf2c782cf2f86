import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indentJson } from '../../src/util/indent-json.js';

describe('JSON text that is laid out', () => {
  it('is what JSON.stringify makes of its value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (value, isLaidOut) => {
        const text = JSON.stringify(value, null, isLaidOut ? 4 : 0);
        expect(indentJson(text)).toBe(JSON.stringify(value, null, 2));
      }),
    );
  });

  it('keeps all digits of numbers, and keys that stand twice or are special', () => {
    const text =
      '{"n":[12345678901234567890.10,1E400,-0.0],"a":1,"a":2,"__proto__":{"b":"\\u2028{]\\""}}';
    const laidOut = indentJson(text);
    expect(laidOut.replace(/\n */g, '').replaceAll(': ', ':')).toBe(text);
    expect(laidOut).toContain('\n    12345678901234567890.10,\n');
  });

  it('takes long strings', () => {
    const text = JSON.stringify({ long: '\\"'.repeat(1_000_000) });
    expect(indentJson(text)).toBe(`{\n  ${text.slice(1, -1).replace('":', '": ')}\n}`);
  });
});
