/** What bounds the rows of an answer beside the query's own limit. */
export interface RowLimits {
  /** The decision's `max_rows`, which caps offset + limit; `null` where no policy sets one. */
  maxRows: number | null;
  /** The server's cap, which applies where the policies set none; default 10,000. */
  rowCap?: number;
}

export const ROW_CAP_DEFAULT = 10_000;

export interface PlannedLimit {
  /** The limit of the SQL: one row more than `rowsMax` where a cap may cut the answer. */
  limit: number;
  /** The rows a requester gets at most. */
  rowsMax: number;
  /** Whether a row beyond `rowsMax` means that the answer was cut by a cap. */
  truncatable: boolean;
}

/** The limit of a query: its own where that is within the cap, else the cap and one row to tell that there is more. */
export function planLimit(limit: number | null, offset: number, limits: RowLimits): PlannedLimit {
  const { maxRows, rowCap = ROW_CAP_DEFAULT } = limits;
  const cap = maxRows === null ? rowCap : Math.max(0, maxRows - offset);
  if (limit !== null && limit <= cap) return { limit, rowsMax: limit, truncatable: false };
  if (cap === 0) return { limit: 0, rowsMax: 0, truncatable: false };
  return { limit: cap + 1, rowsMax: cap, truncatable: true };
}
