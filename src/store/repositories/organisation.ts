import type { StoreRepositories } from '../model.js';
import type { Db } from '../tables.js';
import { runPrepared } from './prepared.js';

export function organisationRepository(db: Db): StoreRepositories['organisation'] {
  return {
    async get() {
      const columns = ['slug', 'epoch', 'highest_sequence', 'created_at'] as const;
      const build = () => db.selectFrom('organisation').select(columns);
      const [row] = await runPrepared(db, 'organisation.get', build, []);
      return row ?? null;
    },
    async create(row) {
      await db
        .insertInto('organisation')
        .values({ ...row, only_row: 1 })
        .execute();
    },
    async setEpoch(epoch, highestSequence) {
      await db
        .updateTable('organisation')
        .set({ epoch, highest_sequence: highestSequence })
        .execute();
    },
  };
}
