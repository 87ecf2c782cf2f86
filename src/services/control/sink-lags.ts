import type { SinkItem } from '../../client/wire.js';
import type { Store } from '../../store/model.js';

/** How far a sink is behind the log. */
export type SinkLag = Omit<SinkItem, 'id'>;

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
