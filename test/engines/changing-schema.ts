import { expect } from 'vitest';
import type { CompiledQuery, TableExpectation } from '../../src/aql/plan.js';
import type { Connector } from '../../src/engines/contract.js';
import { ENGINES } from '../../src/engines/index.js';
import type { VkitError } from '../../src/errors/index.js';
import type { EngineGround, EngineUnderTest, OtherSession } from '../conformance/engine-ground.js';
import { type Held, withHeldProxy } from '../helpers/held-proxy.js';

/** A hidden value must be in no answer, whatever stands under its column's name. */
const SECRET = /SECRET/;
export const RIGHT = ['1', '2', '3'].map((id) => [id, `"public-${id}"`]);

/** Statements that put hidden values under `people.name`, and those that put it right again. */
export interface Change {
  there: string;
  back: string;
}

const transaction = (begin: string, ...statements: string[]): string =>
  [begin, ...statements, 'commit'].join(';\n');

const rename = (from: string, to: string): string => `alter table people rename ${from} to ${to}`;
const SWAP = [rename('name', 'old'), rename('secret', 'name'), rename('old', 'secret')];
const EXCHANGE = [
  'alter table people rename to old',
  'alter table twins rename to people',
  'alter table old rename to twins',
];
const SWAP_AT_ONCE =
  'alter table people rename column name to secret, rename column secret to name';
const SQLITE_BEGIN = 'begin immediate; pragma legacy_alter_table = on';
/** The table dropped and made again, with its columns the other way round and each with the values of the other. */
const remake = (begin: string): Change => {
  const [there = '', back = ''] = ['secret, name', 'name, secret'].map((columns) =>
    transaction(
      begin,
      `create table made (id integer primary key, ${columns.replace(/\w+/g, '$& varchar(40)')})`,
      `insert into made (id, name, secret) select id, secret, name from people`,
      'drop table people',
      'alter table made rename to people',
    ),
  );
  return { there, back };
};
const both = (statements: string): Change => ({ there: statements, back: statements });

export const MAKE = `
  create table people (id integer primary key, name varchar(40), secret varchar(40));
  insert into people values (1, 'public-1', 'SECRET-1'), (2, 'public-2', 'SECRET-2'),
    (3, 'public-3', 'SECRET-3');
  create table twins (id integer primary key, secret varchar(40), name varchar(40));
  insert into twins (id, name, secret) select id, secret, name from people`;
export const VIEWS = `
  create view shown as select id, name as name from people;
  create view outer_shown as select id, name from shown`;

const redefine = (create: string, column: string): string =>
  `${create} shown as select id, ${column} as name from people`;

export const CHANGES: Record<
  EngineUnderTest['name'],
  Record<'swap' | 'exchange' | 'remake' | 'redefine', Change>
> = {
  postgres: {
    swap: both(transaction('begin', ...SWAP)),
    remake: remake('begin'),
    exchange: both(transaction('begin', ...EXCHANGE)),
    redefine: {
      there: redefine('create or replace view', 'secret'),
      back: redefine('create or replace view', 'name'),
    },
  },
  mysql: {
    swap: both(SWAP_AT_ONCE),
    remake: remake('begin'),
    exchange: both('rename table people to old, twins to people, old to twins'),
    redefine: {
      there: redefine('create or replace view', 'secret'),
      back: redefine('create or replace view', 'name'),
    },
  },
  sqlite: {
    swap: both(transaction('begin immediate', ...SWAP)),
    remake: remake(SQLITE_BEGIN),
    exchange: both(transaction(SQLITE_BEGIN, ...EXCHANGE)),
    redefine: {
      there: transaction('begin immediate', 'drop view shown', redefine('create view', 'secret')),
      back: transaction('begin immediate', 'drop view shown', redefine('create view', 'name')),
    },
  },
};

export type World = EngineGround & {
  connector: Connector;
  other: OtherSession;
  /** The query on a table or view that was scanned just now. */
  ask(name: string, rowsMax?: number): Promise<() => Promise<Outcome>>;
  /** The same, read up to its first row; `rest` reads all. */
  begin(name: string): Promise<{ rest(): Promise<(readonly string[])[]> }>;
  /** Holds what the connector sends next with this text in it. */
  hold(text: string): Held;
};

export type Outcome = { rows: (readonly string[])[] } | { code: string };

/** A database with the tables, and with `proxied` a proxy between it and the connector. */
export async function withWorld(
  engine: EngineUnderTest,
  use: (world: World) => Promise<void>,
  { sql = MAKE, proxied = false }: { sql?: string; proxied?: boolean } = {},
): Promise<void> {
  await engine.withGround(async (ground) => {
    await ground.execute(sql);
    const { config } = ground.target;
    if (!proxied) return await useWorld(engine, ground, use);
    return await withHeldProxy(
      { host: String(config.host), port: Number(config.port) },
      ({ port, hold }) => {
        const target = { ...ground.target, config: { ...config, host: '127.0.0.1', port } };
        return useWorld(engine, { ...ground, target }, (world) => use({ ...world, hold }));
      },
    );
  });
}

async function useWorld(
  engine: EngineUnderTest,
  ground: EngineGround,
  use: (world: World) => Promise<void>,
): Promise<void> {
  const connector = await ENGINES[engine.name].connect(ground.target, { poolMax: 4 });
  const other = await ground.openSession();
  const ask: World['ask'] = async (name, rowsMax) => {
    const query = queryOf(ground.schema, await expectationOf(connector, ground.schema, name));
    return () => outcomeOf(connector, { ...query, ...(rowsMax && { rowsMax }) });
  };
  const begin: World['begin'] = async (name) => {
    const query = queryOf(ground.schema, await expectationOf(connector, ground.schema, name));
    const run = connector.run(query, { timeoutMs: 10_000, batchRows: 1 });
    const batches = run[Symbol.asyncIterator]();
    const rows = [...((await batches.next()).value ?? [])];
    const rest = async () => {
      for (let next = await batches.next(); !next.done; next = await batches.next()) {
        rows.push(...next.value);
      }
      return rows;
    };
    return { rest };
  };
  const hold: World['hold'] = () => {
    throw new Error('No proxy is in between.');
  };
  await use({ ...ground, connector, other, ask, begin, hold }).finally(() => connector.close());
}

/** What swaps two columns below a view. SQLite renames a column in views as well; in a table made anew, nothing is. */
export function swapBelowView(engine: EngineUnderTest['name']): Change {
  return CHANGES[engine][engine === 'sqlite' ? 'remake' : 'swap'];
}

async function expectationOf(
  connector: Connector,
  schema: string,
  name: string,
): Promise<TableExpectation> {
  const { tables } = await connector.introspect({ include: [`${schema}.${name}`] });
  const [found] = tables;
  if (found === undefined) throw new Error(`There is no ${name}.`);
  const { table, kind, definition_digest, columns } = found;
  return {
    dataset: name,
    table,
    kind,
    ...(definition_digest !== undefined && { definition_digest }),
    columns: columns
      .filter((column) => column.name !== 'secret')
      .map((column) => ({ name: column.name, type: column.type, position: column.position })),
  };
}

function queryOf(schema: string, expected: TableExpectation): CompiledQuery {
  return {
    sql: `select "id", "name" from "${schema}"."${expected.table.name}" order by "id"`,
    params: [],
    columns: [
      { name: 'id', type: 'integer' },
      { name: 'name', type: 'varchar' },
    ],
    tables: [expected],
  };
}

async function outcomeOf(
  connector: Connector,
  query: CompiledQuery,
  timeoutMs = 10_000,
): Promise<Outcome> {
  const rows: (readonly string[])[] = [];
  try {
    for await (const batch of connector.run(query, { timeoutMs, batchRows: 2 }))
      rows.push(...batch);
    return { rows };
  } catch (error) {
    // What was handed out before it failed counts as well.
    expect(JSON.stringify(rows)).not.toMatch(SECRET);
    return { code: (error as VkitError).code };
  }
}

/** `'done'`, or `'refused'` where the database did not give the lock in time. */
export async function attempt(session: OtherSession, sql: string): Promise<'done' | 'refused'> {
  try {
    await session.run(sql);
    return 'done';
  } catch {
    // Where a transaction is open, it has failed; elsewhere there is none, and it is said.
    await session.run('rollback').catch(() => undefined);
    return 'refused';
  }
}
