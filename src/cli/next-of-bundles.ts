import type { BundleBody } from '../client/wire.js';

/** What waits to be done: an upload that the server would activate, or that none is active; null where nothing is. */
export function nextOfBundles(bundles: readonly BundleBody[]): string | null {
  const active = bundles.find(({ state }) => state === 'active');
  const once = bundles.filter(({ activated_at }) => activated_at !== null);
  const highest = Math.max(0, ...once.map(({ sequence }) => sequence));
  const waiting = bundles
    .filter(({ state, sequence }) => state === 'uploaded' && sequence >= highest)
    .sort((a, b) => b.sequence - a.sequence)[0];
  const next =
    waiting === undefined ? 'vkit policy deploy' : `vkit policy activate ${waiting.version}`;
  if (active === undefined) return `No bundle is active, so everything is denied. Next: ${next}`;
  return waiting === undefined ? null : `Next: ${next}`;
}
