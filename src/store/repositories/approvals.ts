import { VkitError } from '../../errors/index.js';
import type { StoreRepositories } from '../model.js';
import type { Db } from '../tables.js';
import { fromJson, toJson } from './columns.js';

export function approvalsRepository(db: Db): StoreRepositories['approvals'] {
  return {
    async insert(row) {
      try {
        await db
          .insertInto('approvals')
          .values({ ...row, roles: toJson(row.roles) })
          .execute();
      } catch (error) {
        if (!(error instanceof VkitError) || error.details?.duplicate === undefined) throw error;
        const message = `This person has decided about the request ${row.request_id} already.`;
        throw new VkitError('already_decided', message, { cause: error });
      }
    },
    async ofRequest(requestId) {
      const rows = await db
        .selectFrom('approvals')
        .selectAll()
        .where('request_id', '=', requestId)
        .orderBy('created_at', 'desc')
        .orderBy('approver_id', 'desc')
        .execute();
      return rows.map((row) => ({ ...row, roles: fromJson<string[]>(row.roles) }));
    },
  };
}
