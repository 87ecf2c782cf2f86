import type { StoreRepositories } from '../model.js';
import type { Db } from '../tables.js';

export function cliLoginsRepository(db: Db): StoreRepositories['cliLogins'] {
  return {
    async insert(row) {
      await db.insertInto('cli_logins').values(row).execute();
    },
    async take(codeHash) {
      const row = await db
        .deleteFrom('cli_logins')
        .where('code_hash', '=', codeHash)
        .returningAll()
        .executeTakeFirst();
      return row ?? null;
    },
    async removeExpired(now) {
      await db.deleteFrom('cli_logins').where('expires_at', '<=', now).execute();
    },
  };
}
