import type { StoreRepositories } from '../model.js';
import type { Db } from '../tables.js';

export function organisationRepository(db: Db): StoreRepositories['organisation'] {
  return {
    async get() {
      const row = await db
        .selectFrom('organisation')
        .select(['slug', 'epoch', 'highest_sequence', 'created_at'])
        .executeTakeFirst();
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
