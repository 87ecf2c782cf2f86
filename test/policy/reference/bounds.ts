import type { Applying } from './opinion.js';

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;

/** Every bound that somebody set; the smallest of each holds in the end. */
export interface Bounds {
  ttls: readonly number[];
  rows: readonly number[];
  revokes: boolean;
}

export const UNBOUND: Bounds = { ttls: [], rows: [], revokes: false };
export const BOUND_BY_DEFAULT: Bounds = { ttls: [HOUR_SECONDS], rows: [], revokes: false };

/**
 * The bounds of the policies that bear on a reference, undecided ones included. "A ttl that is not given counts as the
 * default (1 h) for a policy that opens: an allow, an undecided policy, or, where no allow matches, a restriction that
 * makes the field readable. Beside an allow a silent restriction takes nothing from its ttl."
 */
export function boundsOf(bearing: readonly Applying[]): Bounds {
  const decided = bearing.filter((one) => one.truth === 'yes');
  const allows = decided.filter((one) => one.policy.action === 'allow');
  const opening = allows.length > 0 ? allows : decided;
  const silent = [...opening, ...bearing.filter((one) => one.truth === 'undecided')].some(
    (one) => one.policy.ttl_seconds === undefined,
  );
  const byDefault = silent || opening.length === 0 ? [HOUR_SECONDS] : [];
  return {
    ttls: [...byDefault, ...bearing.flatMap((one) => one.policy.ttl_seconds ?? [])],
    rows: bearing.flatMap((one) => one.policy.max_rows ?? []),
    revokes: bearing.some((one) => one.policy.auto_revoke === true),
  };
}

/** Of policies that nobody could decide: what each says, the default ttl where it says none. */
export function boundsOfUndecided(bearing: readonly Applying[]): Bounds {
  return addedBounds(
    bearing
      .filter((one) => one.truth === 'undecided')
      .map(({ policy }) => ({
        ttls: [policy.ttl_seconds ?? HOUR_SECONDS],
        rows: policy.max_rows === undefined ? [] : [policy.max_rows],
        revokes: policy.auto_revoke === true,
      })),
  );
}

export function addedBounds(all: readonly Bounds[]): Bounds {
  return {
    ttls: all.flatMap((one) => one.ttls),
    rows: all.flatMap((one) => one.rows),
    revokes: all.some((one) => one.revokes),
  };
}

/** "The smallest […] (ttl: default 1 h, ceiling 24 h)." */
export function smallest({ ttls, rows, revokes }: Bounds): {
  ttl_seconds: number;
  max_rows: number | null;
  auto_revoke: boolean;
} {
  return {
    ttl_seconds: ttls.length === 0 ? HOUR_SECONDS : Math.min(DAY_SECONDS, ...ttls),
    max_rows: rows.length === 0 ? null : Math.min(...rows),
    auto_revoke: revokes,
  };
}
