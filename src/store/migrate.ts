import { sql } from 'kysely';
import { VkitError } from '../errors/index.js';
import { MIGRATIONS } from './migrations/index.js';
import type { Migration } from './migrations/migration.js';
import type { Db } from './tables.js';

export interface MigrateOptions {
  /** Milliseconds since the epoch. */
  now: () => number;
  migrations?: readonly Migration[];
  /** What a statement of a migration is on this database. */
  translate?: (statement: string) => string;
  /** What is done before, whatever the version. */
  first?: readonly string[];
}

/**
 * Brings the schema to the newest version, in one transaction with the record of it. Throws `unsupported`, and changes
 * nothing, where a newer vkit wrote the database: what it added this one would neither see nor keep.
 */
export async function migrate(
  db: Db,
  {
    now,
    migrations = MIGRATIONS,
    translate = (statement) => statement,
    first = [],
  }: MigrateOptions,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    for (const statement of first) await sql.raw(statement).execute(tx);
    await tx.schema
      .createTable('schema_migrations')
      .ifNotExists()
      .addColumn('version', 'integer', (column) => column.primaryKey().notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('applied_at', 'text', (column) => column.notNull())
      .execute();
    const present = await tx
      .selectFrom('schema_migrations')
      .select(({ fn }) => fn.max('version').as('version'))
      .executeTakeFirst();
    const version = present?.version ?? 0;
    const known = migrations.at(-1)?.version ?? 0;
    if (version > known) {
      const message = `The database has schema version ${version}; this vkit knows up to ${known}.`;
      throw new VkitError('unsupported', message, {
        hint: 'Start the newer vkit that wrote it, or restore a backup from before the upgrade.',
      });
    }
    for (const migration of migrations.filter((one) => one.version > version)) {
      for (const statement of migration.statements) {
        await sql.raw(translate(statement)).execute(tx);
      }
      await migration.fill?.(tx);
      const applied_at = new Date(now()).toISOString();
      const { version, name } = migration;
      await tx.insertInto('schema_migrations').values({ version, name, applied_at }).execute();
    }
  });
}
