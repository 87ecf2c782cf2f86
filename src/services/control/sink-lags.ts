import type { Store } from '../../store/model.js';

/** How far a sink is behind the log. */
export interface SinkLag {
  name: string;
  type: string;
  /** The last record that is known to be there. */
  seq: number;
  /** Records that are not known to be there. */
  records: number;
  /** Age of the oldest of them in seconds; 0 where there is none. */
  seconds: number;
  /** Failed deliveries since the last that did not fail. */
  failures: number;
  /** RFC 3339; null before the first delivery. */
  delivered_at: string | null;
  /** What went wrong last; null once it is right again. */
  last_error: string | null;
}

/** The lag of each sink in the store; of those alone that are named, where names are given. */
export async function sinkLags(
  store: Pick<Store, 'audit' | 'auditSinks'>,
  now: number,
  names?: readonly string[],
): Promise<SinkLag[]> {
  const head = (await store.audit.head())?.seq ?? 0;
  const rows = (await store.auditSinks.list()).filter(
    ({ name }) => names === undefined || names.includes(name),
  );
  return Promise.all(
    rows.map(async ({ name, type, seq, failures, delivered_at, last_error }) => {
      const oldest = seq < head ? await store.audit.at(seq + 1) : null;
      const age = oldest ? Math.max(0, now - Date.parse(oldest.timestamp)) / 1000 : 0;
      const records = Math.max(0, head - seq);
      return { name, type, seq, records, seconds: age, failures, delivered_at, last_error };
    }),
  );
}
