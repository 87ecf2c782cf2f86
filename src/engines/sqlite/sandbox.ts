import { rm } from 'node:fs/promises';
import { DatabaseSync } from '@photostructure/sqlite';
import type { ConnectionTarget, Sandbox } from '../contract.js';
import { driverErrors } from '../driver-error.js';

/** A new file at the absolute `path`. The only connection that writes: what vkit governs, it opens read-only. */
export async function createSqliteSandbox({ id, config }: ConnectionTarget): Promise<Sandbox> {
  const path = String(config.path);
  const errors = driverErrors(id, []);
  let database: InstanceType<typeof DatabaseSync> | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec('pragma foreign_keys = on');
  } catch (error) {
    throw errors.unreachable(error);
  }
  const close = () => {
    database?.close();
    database = undefined;
  };
  return {
    async run(script) {
      try {
        database?.exec(`begin; ${script}; commit`);
      } catch (error) {
        throw errors.failed(error);
      }
    },
    async drop() {
      close();
      for (const suffix of ['', '-journal', '-wal', '-shm']) {
        await rm(`${path}${suffix}`, { force: true });
      }
    },
  };
}
