import { VkitError } from '../../errors/index.js';
import type { StoreRepositories } from '../model.js';
import type { Db } from '../tables.js';
import { rowLimit } from './columns.js';

const WITHOUT_DOCUMENT = [
  'version',
  'checksum',
  'sequence',
  'state',
  'uploaded_by',
  'uploaded_at',
  'activated_at',
  'state_reason',
] as const;

export function bundlesRepository(db: Db): StoreRepositories['bundles'] {
  return {
    async insert(row) {
      // One statement, so that the number is right outside of a transaction too.
      const { version } = await db
        .insertInto('bundles')
        .values(({ selectFrom, lit, fn }) => ({
          ...row,
          version: selectFrom('bundles').select(({ eb }) =>
            eb(fn.coalesce(fn.max('version'), lit(0)), '+', lit(1)).as('version'),
          ),
        }))
        .returning('version')
        .executeTakeFirstOrThrow();
      return version;
    },
    async active() {
      const row = await db
        .selectFrom('bundles')
        .selectAll()
        .where('state', '=', 'active')
        .executeTakeFirst();
      return row ?? null;
    },
    async byVersion(version) {
      const row = await db
        .selectFrom('bundles')
        .selectAll()
        .where('version', '=', version)
        .executeTakeFirst();
      return row ?? null;
    },
    async byChecksum(checksum) {
      const row = await db
        .selectFrom('bundles')
        .selectAll()
        .where('checksum', '=', checksum)
        .executeTakeFirst();
      return row ?? null;
    },
    async list(limit) {
      return db
        .selectFrom('bundles')
        .select(WITHOUT_DOCUMENT)
        .orderBy('version', 'desc')
        .limit(rowLimit(limit))
        .execute();
    },
    async setState(version, state, { reason, activatedAt }) {
      const { numUpdatedRows } = await db
        .updateTable('bundles')
        .set({
          state,
          ...(reason === undefined ? {} : { state_reason: reason }),
          ...(activatedAt === undefined ? {} : { activated_at: activatedAt }),
        })
        .where('version', '=', version)
        .executeTakeFirst();
      if (numUpdatedRows === 0n)
        throw new VkitError('not_found', `There is no bundle v${version}.`);
    },
  };
}
