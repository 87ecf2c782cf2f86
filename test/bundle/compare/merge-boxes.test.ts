import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeBoxes } from '../../../src/bundle/compare/merge-boxes.js';

describe('merging cells into boxes', () => {
  it('joins what differs in one dimension only, and then in another', () => {
    expect(
      mergeBoxes([
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ]),
    ).toEqual([
      [
        [0, 1],
        [0, 1],
      ],
    ]);
    expect(
      mergeBoxes([
        [0, 0],
        [0, 1],
        [1, 1],
      ]),
    ).toEqual([
      [[0], [0, 1]],
      [[1], [1]],
    ]);
    expect(mergeBoxes([])).toEqual([]);
  });

  it('holds each cell exactly once, and no other', () => {
    const cell = fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2));
    fc.assert(
      fc.property(fc.uniqueArray(cell, { selector: String }), (cells) => {
        const held = mergeBoxes(cells).flatMap(([x = [], y = [], z = []]) =>
          x.flatMap((a) => y.flatMap((b) => z.map((c) => [a, b, c]))),
        );
        expect(held.map(String).sort()).toEqual(cells.map(String).sort());
      }),
    );
  });
});
