import type { Hold } from './compiled-policy.js';

/** A grant's life where no policy says otherwise, and the most it can ever be. */
export const TTL_SECONDS_DEFAULT = 3_600;
export const TTL_SECONDS_MAX = 86_400;

export interface Bounds {
  ttlSeconds: number;
  /** `null`: no policy bounds the rows. */
  rowsMax: number | null;
  autoRevoke: boolean;
}

export const BOUNDS_DEFAULT: Bounds = {
  ttlSeconds: TTL_SECONDS_DEFAULT,
  rowsMax: null,
  autoRevoke: false,
};

/**
 * The smallest ttl and number of rows over the policies that bear on a reference. A policy that opens it and says nothing
 * of the ttl says the default, and so does an undecided one; a restriction that says nothing takes nothing from the ttl
 * of an allow. So the longer ttl of a further restriction never lengthens a grant.
 */
export function boundsOf(holds: readonly Hold[]): Bounds {
  const decided = holds.filter((hold) => hold.truth === 'yes');
  const allows = decided.filter((hold) => hold.compiled.policy.action === 'allow');
  const opening = allows.length > 0 ? allows : decided;
  const silent = opening.length === 0 || opening.some((hold) => ttlOf(hold) === undefined);
  return ownBounds(holds, silent ? TTL_SECONDS_DEFAULT : TTL_SECONDS_MAX);
}

/** Of the undecided policies alone; `null` where there are none. */
export function undecidedBounds(holds: readonly Hold[]): Bounds | null {
  const undecided = holds.filter((hold) => hold.truth === 'undecided');
  return undecided.length === 0 ? null : ownBounds(undecided, TTL_SECONDS_MAX);
}

/** What policies say themselves; an undecided one that says nothing of the ttl says the default. */
function ownBounds(holds: readonly Hold[], ttlSecondsMax: number): Bounds {
  let ttlSeconds = ttlSecondsMax;
  let rowsMax: number | null = null;
  let autoRevoke = false;
  for (const hold of holds) {
    const { max_rows, auto_revoke } = hold.compiled.policy;
    const silence = hold.truth === 'undecided' ? TTL_SECONDS_DEFAULT : TTL_SECONDS_MAX;
    ttlSeconds = Math.min(ttlSeconds, ttlOf(hold) ?? silence);
    rowsMax = smallerRows(rowsMax, max_rows ?? null);
    autoRevoke ||= auto_revoke === true;
  }
  const isDefault = ttlSeconds === TTL_SECONDS_DEFAULT && rowsMax === null && !autoRevoke;
  // Most are the default, and equal objects need no comparing.
  return isDefault ? BOUNDS_DEFAULT : { ttlSeconds, rowsMax, autoRevoke };
}

/** The smallest of several; `null` entries say nothing, and the default holds where all do. */
export function smallestBounds(all: readonly (Bounds | null)[]): Bounds {
  return all.reduce(smallerBounds, null) ?? BOUNDS_DEFAULT;
}

/** The smaller of two; `null` says nothing. */
export function smallerBounds(a: Bounds | null, b: Bounds | null): Bounds | null {
  if (a === null || b === null || a === b) return a ?? b;
  return {
    ttlSeconds: Math.min(a.ttlSeconds, b.ttlSeconds),
    rowsMax: smallerRows(a.rowsMax, b.rowsMax),
    autoRevoke: a.autoRevoke || b.autoRevoke,
  };
}

/** The smaller number of rows; `null` is no bound. */
export function smallerRows(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

function ttlOf(hold: Hold): number | undefined {
  return hold.compiled.policy.ttl_seconds;
}
