import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bundleChecksum, canonicalise } from '../../src/bundle/canonicalise.js';
import { sha256 } from './sample.js';

describe('canonicalise', () => {
  it('gives the example of RFC 8785, section 3.2.3', () => {
    const text = String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`;
    const expected = String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`;
    expect(canonicalise(JSON.parse(text))).toBe(expected);
  });

  it('sorts keys by UTF-16 code units', () => {
    expect(canonicalise({ '\ufb33': 1, '\u{1f600}': 2, a: 3, B: 4 })).toBe(
      '{"B":4,"a":3,"\u{1f600}":2,"\ufb33":1}',
    );
  });

  it.each([
    ['half an emoji', '\ud83d'],
    ['a broken key', { '\ude00': 1 }],
    ['NaN', Number.NaN],
    ['infinity', [Number.POSITIVE_INFINITY]],
    ['nothing', undefined],
  ])('refuses %s', (_name, value) => {
    expect(() => canonicalise(value)).toThrow(expect.objectContaining({ code: 'bundle_invalid' }));
  });

  it('takes a text that only spells an escape', () => {
    expect(canonicalise('\\ud83d')).toBe(String.raw`"\\ud83d"`);
  });
});

describe('canonicalise, of a value in which parts stand more than once', () => {
  it('writes what the library writes of it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (part, other) => {
        const value = {
          b: [part, { part, other }, part],
          a: part,
          '': [[other], undefined],
          c: undefined,
        };
        expect(canonicalise(value)).toBe(canonicalize(value));
      }),
    );
  });

  it('asks what has a form of its own for it', () => {
    const moment = new Date(0);
    expect(canonicalise({ at: [moment, moment] })).toBe(canonicalize({ at: [moment, moment] }));
  });

  it('refuses what contains itself', () => {
    const around: { inside?: unknown } = {};
    around.inside = [around];
    expect(() => canonicalise(around)).toThrow(expect.objectContaining({ code: 'bundle_invalid' }));
  });
});

describe('bundleChecksum', () => {
  it('is over the document with an empty checksum and no signature', () => {
    const document = { signing: { alg: 'EdDSA' }, bundle: { org_slug: 'acme', checksum: 'old' } };
    expect(bundleChecksum(document)).toBe(
      sha256('{"bundle":{"checksum":"","org_slug":"acme"},"signing":null}'),
    );
  });

  it('covers keys that vkit does not know, a __proto__ among them', () => {
    const plain = JSON.parse('{"bundle":{},"extra":1}');
    const odd = JSON.parse('{"bundle":{"__proto__":{"a":1}},"extra":1}');
    expect(bundleChecksum(odd)).not.toBe(bundleChecksum(plain));
    expect(bundleChecksum(plain)).not.toBe(bundleChecksum({ bundle: {} }));
  });

  it.each([[null], [[]], ['x'], [{}]])('refuses %j', (document) => {
    expect(() => bundleChecksum(document)).toThrow(
      expect.objectContaining({ code: 'bundle_invalid' }),
    );
  });
});
