/** How a request was decided: at once, or when its approvals came in. `refused` were invalid, or named what is not held. */
const DECISIONS = ['granted', 'pending', 'denied', 'refused'] as const;
/** How a fetch ended: refused before anything ran, or how its query went. */
const FETCHES = ['executed', 'failed', 'refused'] as const;

/**
 * What this process has done since it started, as plain numbers: whoever watches reads them, and what counts pays an addition.
 * Only what is on disk is counted.
 */
export class Activity {
  readonly decisions = zeros(DECISIONS);
  readonly fetches = zeros(FETCHES);
  grants = 0;
  rows = 0;
}

function zeros<T extends string>(names: readonly T[]): Record<T, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<T, number>;
}
