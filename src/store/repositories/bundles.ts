import { VkitError } from '../../errors/index.js';
import type { BundleRow, StoreRepositories } from '../model.js';
import type { Db } from '../tables.js';
import { rowLimit } from './columns.js';

const WITHOUT_DOCUMENT = [
  'version',
  'checksum',
  'sequence',
  'state',
  'bundle_version',
  'expires_at',
  'key_id',
  'uploaded_by',
  'uploaded_at',
  'activated_at',
  'activated_by',
  'state_reason',
] as const;

export function bundlesRepository(db: Db): StoreRepositories['bundles'] {
  const update = async (version: number, change: Partial<BundleRow>): Promise<void> => {
    const { numUpdatedRows } = await db
      .updateTable('bundles')
      .set(change)
      .where('version', '=', version)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new VkitError('not_found', `There is no bundle v${version}.`);
  };
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
        .select(WITHOUT_DOCUMENT)
        .where('state', '=', 'active')
        .executeTakeFirst();
      return row ?? null;
    },
    async byVersion(version) {
      const row = await db
        .selectFrom('bundles')
        .select(WITHOUT_DOCUMENT)
        .where('version', '=', version)
        .executeTakeFirst();
      return row ?? null;
    },
    async byChecksum(checksum) {
      const row = await db
        .selectFrom('bundles')
        .select(WITHOUT_DOCUMENT)
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
    async document(version) {
      const row = await db
        .selectFrom('bundles')
        .select('document')
        .where('version', '=', version)
        .executeTakeFirst();
      return row?.document ?? null;
    },
    async setState(version, state, { reason, activated }) {
      await update(version, {
        state,
        state_reason: reason ?? null,
        ...(activated ? { activated_at: activated.at, activated_by: activated.by } : {}),
      });
    },
    resign: (version, { document, key_id }) => update(version, { document, key_id }),
  };
}
