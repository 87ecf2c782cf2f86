import type { Hold } from './hold.js';

/** A grant's life where no policy says otherwise, and the most it can ever be. */
export const TTL_SECONDS_DEFAULT = 3_600;
export const TTL_SECONDS_MAX = 86_400;

export interface Bounds {
  ttlSeconds: number;
  /** `null`: no policy bounds the rows. */
  rowsMax: number | null;
  autoRevoke: boolean;
}

const BOUNDS_DEFAULT: Bounds = {
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
  let bounds: Bounds = {
    ...BOUNDS_DEFAULT,
    ttlSeconds: silent ? TTL_SECONDS_DEFAULT : TTL_SECONDS_MAX,
  };
  for (const hold of holds) bounds = smaller(bounds, ownBounds(hold));
  return bounds;
}

/** Of the undecided policies alone; `null` where there are none. */
export function undecidedBounds(holds: readonly Hold[]): Bounds | null {
  const undecided = holds.filter((hold) => hold.truth === 'undecided');
  return undecided.length === 0 ? null : smallestBounds(undecided.map(ownBounds));
}

/** What a policy says itself; an undecided one that says nothing of the ttl says the default. */
function ownBounds(hold: Hold): Bounds {
  const { max_rows, auto_revoke } = hold.compiled.policy;
  const silence = hold.truth === 'undecided' ? TTL_SECONDS_DEFAULT : TTL_SECONDS_MAX;
  return {
    ttlSeconds: Math.min(ttlOf(hold) ?? silence, TTL_SECONDS_MAX),
    rowsMax: max_rows ?? null,
    autoRevoke: auto_revoke === true,
  };
}

/** The smallest of several; `null` entries say nothing, and the default holds where all do. */
export function smallestBounds(all: readonly (Bounds | null)[]): Bounds {
  return all.filter((bounds) => bounds !== null).reduce(smallerOrFirst, null) ?? BOUNDS_DEFAULT;
}

function smallerOrFirst(a: Bounds | null, b: Bounds): Bounds {
  return a === null ? b : smaller(a, b);
}

function smaller(a: Bounds, b: Bounds): Bounds {
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
