import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import type { CompiledQuery, TableExpectation } from '../../src/aql/plan.js';
import type { Connector, EncodedRow, RunOptions } from '../../src/engines/contract.js';
import { ENGINES } from '../../src/engines/index.js';
import type { VkitError } from '../../src/errors/index.js';
import type { ScannedTable } from '../../src/schema/model.js';
import type { EngineGround, EngineUnderTest } from './engine-ground.js';

const PEOPLE = `
  create table people (id integer primary key, name text not null, email text, age integer);
  insert into people values (1, 'Ada', 'ada@example.com', 36), (2, 'Bo', null, null)`;

/** The contract of `Connector`, held against a real database of the engine. */
export function describeEngine(engine: EngineUnderTest): void {
  const title = engine.skipped ? `${engine.name} (skipped: ${engine.skipped})` : engine.name;

  describe.skipIf(engine.skipped !== null)(`engine ${title}`, () => {
    const withConnector = (
      use: (connector: Connector, ground: EngineGround) => Promise<void>,
      poolMax = 2,
    ) =>
      engine.withGround(async (ground) => {
        const connector = await ENGINES[engine.name].connect(ground.target, { poolMax });
        try {
          await use(connector, ground);
        } finally {
          await connector.close();
        }
      });

    const peopleQuery = (schema: string, tables: readonly TableExpectation[] = []) =>
      query(`select "id", "name" from "${schema}"."people" order by "id"`, ['integer', 'text'], {
        tables,
      });

    it('says what it is connected to and how long a statement takes', () =>
      withConnector(async (connector) => {
        const { server, latencyMs } = await connector.test();
        expect(server).toMatch(new RegExp(`^${engine.name} \\d+\\.\\d+`));
        expect(latencyMs).toBeGreaterThan(0);
      }));

    it('reads tables, keys and views from the catalog', () =>
      withConnector(async (connector, { execute, schema }) => {
        const { declared: text, type } = engine.keyText;
        await execute(`
          create table teams (country ${text} not null, code ${text} not null, title ${text} unique,
            slug ${text} not null unique, primary key (country, code));
          create table members (id integer primary key, country ${text}, code ${text}, age integer default 7,
            twice integer generated always as (age * 2) stored,
            foreign key (country, code) references teams (country, code));
          ${engine.indexesThatAreNoKeys};
          create view adults as select id, age from members where age > 17;
          create view seniors as select id from adults where age > 64;`);
        const { tables } = await connector.introspect({ include: [`${schema}.*`] });
        expect(tables.map(({ table, kind }) => [table.schema, table.name, kind])).toEqual([
          [schema, 'adults', 'view'],
          [schema, 'members', 'table'],
          [schema, 'seniors', 'view'],
          [schema, 'teams', 'table'],
        ]);
        const [adults, members, seniors, teams] = tables;
        expect(teams).toMatchObject({
          primary_key: ['country', 'code'],
          unique_keys: [['slug']],
          foreign_keys: [],
        });
        expect(members).toMatchObject({
          primary_key: ['id'],
          unique_keys: [],
          foreign_keys: [
            {
              columns: ['country', 'code'],
              references: { schema, table: 'teams', columns: ['country', 'code'] },
            },
          ],
        });
        const columns = members?.columns.map((column) => [
          column.name,
          column.type,
          column.position,
        ]);
        expect(columns).toEqual([
          ['id', 'integer', 1],
          ['country', type, 2],
          ['code', type, 3],
          ['age', 'integer', 4],
          ['twice', 'integer', 5],
        ]);
        const [id, , , age, twice] = members?.columns ?? [];
        expect(id).toMatchObject({ nullable: false });
        expect(age).toMatchObject({ nullable: true });
        expect(age?.default_digest).toMatch(/^[0-9a-f]{64}$/);
        expect(twice).toMatchObject({ generated: true });
        expect(adults?.definition_digest).toMatch(/^[0-9a-f]{64}$/);
        expect(seniors?.definition_digest).not.toBe(adults?.definition_digest);
      }));

    it('counts positions among the columns that are still there', () =>
      withConnector(async (connector, { execute, schema }) => {
        await execute(
          'create table t (a integer, b integer, c integer); alter table t drop column b',
        );
        const [table] = (await connector.introspect({ include: [`${schema}.t`] })).tables;
        expect(table?.columns.map(({ name, position }) => [name, position])).toEqual([
          ['a', 1],
          ['c', 2],
        ]);
      }));

    it('scans what include names and exclude does not', () =>
      withConnector(async (connector, { execute, schema }) => {
        await execute('create table a (x integer); create table b_old (x integer)');
        const options = { include: [`${schema}.*`], exclude: ['*_old'] };
        const { tables } = await connector.introspect(options);
        expect(tables.map(({ table }) => table.name)).toEqual(['a']);
      }));

    it('gives every type its normalised name and every value its JSON', () =>
      withConnector(async (connector, { execute, schema }) => {
        if (engine.prepareTypes !== undefined) await execute(engine.prepareTypes);
        const columns = engine.types.map(({ declared }, index) => `c${index} ${declared}`);
        const values = engine.types.map(({ literal }) => literal);
        await execute(`create table typed (${columns.join(', ')})`);
        await execute(`insert into typed values (${values.join(', ')})`);
        const [table] = (await connector.introspect({ include: [`${schema}.typed`] })).tables;
        expect(table?.columns.map(({ type }) => type)).toEqual(
          engine.types.map(({ type }) => type),
        );
        const names = columns.map((_, index) => `"c${index}"`).join(', ');
        const types = engine.types.map(({ type }) => type);
        const [row] = await rows(
          connector,
          query(`select ${names} from "${schema}"."typed"`, types),
        );
        expect(row).toEqual(engine.types.map(({ json }) => json));
        for (const json of row ?? []) JSON.parse(json);
      }));

    it('binds values instead of reading them as SQL', () =>
      withConnector(async (connector, { execute, schema }) => {
        await execute(PEOPLE);
        const sql = `select "id" from "${schema}"."people" where "name" = ${engine.placeholder(1)}`;
        const find = (name: string) => rows(connector, query(sql, ['integer'], { params: [name] }));
        expect(await find('Bo')).toEqual([['2']]);
        expect(await find("Bo' or '1'='1")).toEqual([]);
      }));

    it('hands over batches of at most the rows asked for, in order', () =>
      withConnector(async (connector) => {
        const sql = engine.manyRowsSql(2_500, 10);
        const sizes: number[] = [];
        const seen: string[] = [];
        for await (const batch of connector.run(query(sql, ['integer', 'text']), {
          timeoutMs: 10_000,
          batchRows: 400,
        })) {
          sizes.push(batch.length);
          seen.push(...batch.map(([id]) => id ?? ''));
        }
        expect(Math.max(...sizes)).toBeLessThanOrEqual(400);
        expect(sizes.length).toBeGreaterThan(6);
        expect(seen).toEqual(Array.from({ length: 2_500 }, (_, index) => String(index + 1)));
      }));

    it('cannot write', () =>
      withConnector(async (connector, { execute, schema }) => {
        await execute(PEOPLE);
        const prepare = engine.prepareWrite(schema);
        if (prepare) await execute(prepare);
        const error = await failure(rows(connector, query(engine.writeSql(schema), ['integer'])));
        expect(error.code).toBe('datasource_error');
        expect(String((error.cause as Error).message)).toMatch(/read[ -]?only/i);
        expect(await rows(connector, peopleQuery(schema))).toHaveLength(2);
      }));

    it('stops a query at its timeout and goes on afterwards', () =>
      withConnector(async (connector, { execute, schema, countBusy }) => {
        await execute(PEOPLE);
        const startedAt = performance.now();
        const slow = rows(connector, query(engine.slowSql(schema), ['text']), { timeoutMs: 300 });
        expect((await failure(slow)).code).toBe('query_timeout');
        expect(performance.now() - startedAt).toBeLessThan(3_000);
        expect(await countBusy()).toBe(0);
        expect(await rows(connector, peopleQuery(schema))).toHaveLength(2);
      }));

    it('cancels the query in the database when the signal aborts', () =>
      withConnector(async (connector, { execute, schema, countBusy }) => {
        await execute(PEOPLE);
        const controller = new AbortController();
        const slow = failure(
          rows(connector, query(engine.slowSql(schema), ['text']), {
            timeoutMs: 60_000,
            signal: controller.signal,
          }),
        );
        await vi.waitFor(async () => expect(await countBusy()).toBe(1), 5_000);
        await wait(100);
        controller.abort();
        expect((await slow).code).toBe('interrupted');
        await vi.waitFor(async () => expect(await countBusy()).toBe(0), 2_000);
        expect(await rows(connector, peopleQuery(schema))).toHaveLength(2);
      }));

    it('runs nothing for a signal that has already aborted', () =>
      withConnector(async (connector, { schema }) => {
        const options = { timeoutMs: 60_000, signal: AbortSignal.abort() };
        const error = await failure(
          rows(connector, query(engine.slowSql(schema), ['text']), options),
        );
        expect(error.code).toBe('interrupted');
      }));

    it('lets go of the database when the signal aborts between two batches', () =>
      withConnector(async (connector, { execute, schema }) => {
        await execute(PEOPLE);
        const controller = new AbortController();
        const many = query(
          `select a."id", b."id" from "${schema}"."people" a, "${schema}"."people" b`,
          ['integer', 'integer'],
        );
        const options = { timeoutMs: 60_000, batchRows: 1, signal: controller.signal };
        const batches = connector.run(many, options)[Symbol.asyncIterator]();
        await batches.next();
        controller.abort();
        // The connection is free although nobody asks for the next batch.
        expect(await rows(connector, peopleQuery(schema))).toHaveLength(2);
        await execute('drop table people');
        expect((await failure(batches.next())).code).toBe('interrupted');
      }, 1));

    it('frees the connection when the iteration ends early', () =>
      withConnector(async (connector, { execute, schema }) => {
        await execute(PEOPLE);
        for (let round = 0; round < 3; round += 1) {
          const many = query(engine.manyRowsSql(100_000, 10), ['integer', 'text']);
          for await (const batch of connector.run(many, { timeoutMs: 10_000 })) {
            expect(batch.length).toBeGreaterThan(0);
            break;
          }
        }
        expect(await rows(connector, peopleQuery(schema))).toHaveLength(2);
        await execute('drop table people');
      }, 1));

    it('answers more queries at once than it has connections', () =>
      withConnector(async (connector, { execute, schema }) => {
        await execute(PEOPLE);
        const all = Array.from({ length: 12 }, () => rows(connector, peopleQuery(schema)));
        for (const answer of await Promise.all(all)) expect(answer).toHaveLength(2);
      }));

    it('recovers from connections that the database closed', () =>
      withConnector(async (connector, { execute, schema, breakConnections }) => {
        await execute(PEOPLE);
        await Promise.all([1, 2].map(() => rows(connector, peopleQuery(schema))));
        await breakConnections();
        expect(await rows(connector, peopleQuery(schema))).toHaveLength(2);
        expect(await rows(connector, peopleQuery(schema))).toHaveLength(2);
      }));

    it('ends what is running when it is closed, and runs nothing any more', () =>
      withConnector(async (connector, { execute, schema, countBusy }) => {
        await execute(PEOPLE);
        const slow = failure(
          rows(connector, query(engine.slowSql(schema), ['text']), { timeoutMs: 60_000 }),
        );
        await vi.waitFor(async () => expect(await countBusy()).toBe(1), 5_000);
        await connector.close();
        expect((await slow).code).toBe('interrupted');
        await vi.waitFor(async () => expect(await countBusy()).toBe(0), 2_000);
        expect((await failure(connector.test())).code).toBe('datasource_unreachable');
      }));

    it('keeps what the database says out of the message', () =>
      withConnector(async (connector) => {
        const error = await failure(rows(connector, query(engine.failingSql, ['integer'])));
        expect(error.code).toBe('datasource_error');
        expect(`${error.message} ${error.hint}`).not.toMatch(/secret|syntax|invalid|JSON|sql_mode/);
        expect(error.cause).toBeInstanceOf(Error);
      }));

    it('says when the database cannot be reached, without a password and without making one', () =>
      engine.withGround(async ({ target }) => {
        for (const [what, wrong] of Object.entries(engine.unreachable(target))) {
          const connector = await ENGINES[engine.name].connect(wrong, { connectTimeoutMs: 3_000 });
          const attempts = [
            () => connector.test(),
            () => connector.introspect(),
            () => rows(connector, query('select 1', ['integer'])),
          ];
          for (const attempt of attempts) {
            const error = await failure(attempt());
            expect(error.code, what).toBe('datasource_unreachable');
            expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('s3cret');
          }
          await connector.close();
          const { path } = wrong.config;
          if (what === 'a missing file') expect(existsSync(String(path))).toBe(false);
        }
      }));

    describe('the schema that was reviewed', () => {
      const views = `${PEOPLE};
        create view named as select id, name from people;
        create view outside as select id, name from named`;
      const changes: Record<string, { sql: string; dataset: string }> = {
        'a renamed column': {
          sql: `drop view outside; drop view named;
            alter table people rename column name to full_name`,
          dataset: 'people',
        },
        'a retyped column': {
          sql: `drop view outside; drop view named; ${engine.retypeAge}`,
          dataset: 'people',
        },
        'two swapped columns': {
          sql: `drop view outside; drop view named; ${engine.swapNameAndEmail}`,
          dataset: 'people',
        },
        'a dropped table': {
          sql: 'drop view outside; drop view named; drop table people',
          dataset: 'people',
        },
        'a view in place of a table': {
          sql: `drop view outside; drop view named; alter table people rename to hidden;
            create view people as select * from hidden`,
          dataset: 'people',
        },
        'a redefined view': {
          sql: `drop view outside; drop view named;
            create view named as select id, email as name from people`,
          dataset: 'named',
        },
        'a redefined view below a view': {
          sql: `drop view outside; drop view named;
            create view named as select id, email as name from people;
            create view outside as select id, name from named`,
          dataset: 'outside',
        },
      };

      for (const [what, { sql, dataset }] of Object.entries(changes)) {
        it(`refuses ${what}, and runs nothing`, () =>
          withConnector(async (connector, { execute, schema }) => {
            await execute(views);
            const tables = (await connector.introspect({ include: [`${schema}.*`] })).tables;
            const expected = tables
              .filter(({ table }) => table.name === dataset)
              .map(expectationOf);
            const read = query(
              `select "id", "name" from "${schema}"."${dataset}" order by "id"`,
              ['integer', 'text'],
              { tables: expected },
            );
            expect(await rows(connector, read)).toHaveLength(2);
            await execute(sql);
            const error = await failure(rows(connector, read));
            expect(error.code).toBe('schema_changed');
            expect(error.message).toContain(dataset);
            expect(error.message).not.toMatch(/email|full_name|position/);
            expect(error.cause).toBeInstanceOf(Error);
          }));
      }

      it('is still the same with a new column, and with no positions to compare', () =>
        withConnector(async (connector, { execute, schema }) => {
          await execute(PEOPLE);
          const [table] = (await connector.introspect({ include: [`${schema}.*`] })).tables;
          const expected = expectationOf(table as ScannedTable);
          await execute('alter table people add column extra text');
          expect(await rows(connector, peopleQuery(schema, [expected]))).toHaveLength(2);
          const loose = { ...expected, columns: [{ name: 'age', type: 'integer' }] };
          expect(await rows(connector, peopleQuery(schema, [loose]))).toHaveLength(2);
        }));
    });

    it('streams 300,000 rows in the memory of a few batches', { timeout: 60_000 }, () =>
      withConnector(async (connector) => {
        const collect = exposeGarbageCollector();
        const many = query(engine.manyRowsSql(300_000, 500), ['integer', 'text']);
        let seen = 0;
        let startBytes = 0;
        let growthBytes = 0;
        for await (const batch of connector.run(many, { timeoutMs: 60_000 })) {
          const before = seen;
          seen += batch.length;
          if (Math.floor(seen / 50_000) === Math.floor(before / 50_000)) continue;
          collect();
          const { heapUsed, external } = process.memoryUsage();
          if (startBytes === 0) startBytes = heapUsed + external;
          growthBytes = Math.max(growthBytes, heapUsed + external - startBytes);
        }
        expect(seen).toBe(300_000);
        // The rows themselves are 150 MB.
        expect(growthBytes).toBeLessThan(32 * 1024 * 1024);
      }),
    );
  });
}

function query(
  sql: string,
  types: readonly string[],
  rest: { params?: CompiledQuery['params']; tables?: readonly TableExpectation[] } = {},
): CompiledQuery {
  const columns = types.map((type, index) => ({ name: `c${index}`, type }));
  return { sql, params: rest.params ?? [], columns, tables: rest.tables ?? [] };
}

async function rows(
  connector: Connector,
  compiled: CompiledQuery,
  options: Partial<RunOptions> = {},
): Promise<EncodedRow[]> {
  const all: EncodedRow[] = [];
  for await (const batch of connector.run(compiled, { timeoutMs: 10_000, ...options })) {
    all.push(...batch);
  }
  return all;
}

async function failure(work: Promise<unknown>): Promise<VkitError> {
  const result = await work.then(
    (value) => ({ value }),
    (error: VkitError) => ({ error }),
  );
  if ('error' in result) return result.error;
  throw new Error(`It did not fail: ${JSON.stringify(result.value)}`);
}

/** What a bundle carries of a table. */
function expectationOf({
  table,
  kind,
  definition_digest,
  columns,
}: ScannedTable): TableExpectation {
  return {
    dataset: table.name,
    table,
    kind,
    ...(definition_digest === undefined ? {} : { definition_digest }),
    columns: columns.map(({ name, type, position }) => ({ name, type, position })),
  };
}

function exposeGarbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}
