import { describe, expect, it } from 'vitest';
import { foldName, skeletonOf } from '../../src/util/fold-name.js';

describe('foldName', () => {
  it.each([
    ['Email', 'eMAIL'],
    ['ΟΔΟΣ', 'οδος'],
    ['οδος', 'οδοσ'],
    ['straße', 'STRASSE'],
    ['STRAẞE', 'strasse'],
    ['İl', 'i\u0307l'],
    ['caf\u00e9', 'CAFE\u0301'],
    ['ﬁeld', 'FIELD'],
    ['\u212aelvin', 'kelvin'],
  ])('takes %s and %s for one name', (a, b) => {
    expect(foldName(a)).toBe(foldName(b));
  });

  it.each([
    ['ıd', 'id'],
    ['İd', 'id'],
    ['caf\u00e9', 'cafe'],
    ['straße', 'strase'],
    ['а', 'a'],
  ])('does not take %s for %s', (a, b) => {
    expect(foldName(a)).not.toBe(foldName(b));
  });

  it('is the same of a form that is folded already', () => {
    for (const name of ['ΟΔΟΣ', 'straße', 'İıIi', 'ŉǰΐ', 'ᾳ', 'Ꭰꭰ']) {
      expect(foldName(foldName(name))).toBe(foldName(name));
    }
  });
});

describe('skeletonOf', () => {
  it.each([
    ['ıd', 'id'],
    ['İd', 'ID'],
    ['café', 'Cafe'],
    ['ｉｄ', 'id'],
  ])('takes %s for what looks like %s', (a, b) => {
    expect(skeletonOf(a)).toBe(skeletonOf(b));
  });
});
