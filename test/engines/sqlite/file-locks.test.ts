import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { CompiledQuery, TableExpectation } from '../../../src/aql/plan.js';
import type { Connector } from '../../../src/engines/contract.js';
import { sqlite } from '../../../src/engines/sqlite/index.js';
import { temporaryFolder } from '../../helpers/temporary-folder.js';

const ROWS = 5_000;
const CHANGED: TableExpectation = {
  dataset: 't',
  table: { schema: 'main', name: 't' },
  kind: 'table',
  columns: [{ name: 'gone', type: 'integer' }],
};

/** What is done with the file, to its end, whatever comes of it. */
const USES: Record<string, (connector: Connector) => Promise<unknown>> = {
  'a whole read': (connector) => read(connector, 'select v from main.t'),
  'a read in several batches': (connector) => read(connector, 'select v from main.t', 100),
  'a limited read': (connector) => read(connector, 'select v from main.t limit 3'),
  'a read of as many rows as a batch has': (connector) =>
    read(connector, 'select v from main.t limit 100', 100),
  'a sorted read': (connector) => read(connector, 'select v from main.t order by v desc limit 3'),
  'a read that was ended early': async (connector) => {
    const query = queryOf('select v from main.t');
    for await (const _ of connector.run(query, { timeoutMs: 10_000, batchRows: 10 })) break;
  },
  'a schema that changed': async (connector) => {
    const query = { ...queryOf('select v from main.t'), tables: [CHANGED] };
    const run = connector.run(query, { timeoutMs: 10_000 });
    await expect(drain(run)).rejects.toMatchObject({ code: 'schema_changed' });
  },
  'a query that is none': (connector) =>
    expect(read(connector, 'select nothing from main.t')).rejects.toMatchObject({
      code: 'datasource_error',
    }),
  'a query that failed at a later row': (connector) => {
    const sql = `select json_extract(case when v > 150 then 'x' else '{}' end, '$.a') from main.t`;
    return expect(read(connector, sql, 100)).rejects.toMatchObject({ code: 'datasource_error' });
  },
  'an introspection': (connector) => connector.introspect(),
  'a test': (connector) => connector.test(),
};

describe('another program can write right after', () => {
  for (const [what, use] of Object.entries(USES)) {
    it(what, async () => {
      const { connector, write } = await openFile();
      // A child is used again, and what is left of the first use must not show in the second.
      for (let round = 0; round < 2; round += 1) {
        await use(connector);
        write();
      }
    });
  }

  it('a query that took too long', async () => {
    const { connector, write } = await openFile();
    const slow = queryOf('select count(*) from main.t a, main.t b, main.t c');
    await expect(drain(connector.run(slow, { timeoutMs: 300 }))).rejects.toMatchObject({
      code: 'query_timeout',
    });
    // The process was killed; the system needs a moment to take its locks away.
    await vi.waitFor(write, 2_000);
  });
});

function queryOf(sql: string): CompiledQuery {
  return { sql, params: [], columns: [{ name: 'v', type: 'integer' }], tables: [] };
}

async function read(connector: Connector, sql: string, batchRows = 1_000): Promise<void> {
  await drain(connector.run(queryOf(sql), { timeoutMs: 10_000, batchRows }));
}

async function drain(run: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of run);
}

/** A file with a rollback journal, where one reader stops every writer, and a writer that never waits. */
async function openFile(): Promise<{ connector: Connector; write: () => void }> {
  const path = join(await temporaryFolder(), 'data.db');
  const writer = new DatabaseSync(path);
  onTestFinished(() => writer.close());
  writer.exec(`
    pragma journal_mode = delete;
    pragma busy_timeout = 0;
    create table t (v integer);
    insert into t with recursive n(i) as (select 1 union all select i + 1 from n where i < ${ROWS})
      select i from n;`);
  const connector = await sqlite.connect({ id: 'files', config: { path }, credentials: {} });
  onTestFinished(() => connector.close());
  return { connector, write: () => writer.exec('insert into t values (0)') };
}
