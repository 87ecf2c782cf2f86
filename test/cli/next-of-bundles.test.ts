import { describe, expect, it } from 'vitest';
import { nextOfBundles } from '../../src/cli/next-of-bundles.js';
import type { BundleBody } from '../../src/client/wire.js';

/** A version as the server lists it: its state, its sequence, and whether it was ever active. */
function version(number: number, state: BundleBody['state'], sequence: number): BundleBody {
  const activated_at = state === 'uploaded' ? null : '2026-03-02T10:00:00.000Z';
  const id = `v${number}`;
  return { id, version: id, state, sequence, activated_at } as BundleBody;
}

describe('nextOfBundles', () => {
  it('names an upload that the server would activate, the highest of several', () => {
    const bundles = [version(1, 'active', 2), version(2, 'uploaded', 3), version(3, 'uploaded', 4)];
    expect(nextOfBundles(bundles)).toBe('Next: vkit policy activate v3');
    expect(nextOfBundles([version(1, 'active', 2), version(2, 'uploaded', 1)])).toBeNull();
  });

  it('names no upload below what was active once, which the server refuses', () => {
    const bundles = [version(1, 'revoked', 4), version(2, 'uploaded', 3)];
    expect(nextOfBundles(bundles)).toMatch(/^No bundle is active.*Next: vkit policy deploy$/);
    expect(nextOfBundles([version(1, 'active', 2), ...bundles])).toBeNull();
  });
});
