import type { Db } from '../tables.js';
import type { Migration } from './migration.js';

/** What a list says of a bundle stands beside its document, which can be 64 MiB: a list never reads one. */
export const bundleFacts: Migration = {
  version: 2,
  name: '0002_bundle_facts',
  statements: [
    `alter table bundles add column bundle_version text not null default ''`,
    'alter table bundles add column expires_at text',
    'alter table bundles add column key_id text',
    'alter table bundles add column activated_by text',
  ],
  fill,
};

/** One document at a time: together they may be more than fits into memory. */
async function fill(tx: Db): Promise<void> {
  const versions = await tx.selectFrom('bundles').select('version').execute();
  for (const { version } of versions) {
    const { document } = await tx
      .selectFrom('bundles')
      .select('document')
      .where('version', '=', version)
      .executeTakeFirstOrThrow();
    const { bundle, signing } = JSON.parse(document) as Stored;
    await tx
      .updateTable('bundles')
      .set({
        bundle_version: bundle.bundle_version,
        expires_at: bundle.expires_at ?? null,
        key_id: signing?.key_id ?? null,
      })
      .where('version', '=', version)
      .execute();
  }
}

/** What was checked when it was uploaded. */
interface Stored {
  bundle: { bundle_version: string; expires_at?: string | null };
  signing?: { key_id: string } | null;
}
