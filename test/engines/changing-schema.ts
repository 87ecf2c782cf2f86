import { expect } from 'vitest';
import type { CompiledQuery, TableExpectation } from '../../src/aql/plan.js';
import type { Connector } from '../../src/engines/contract.js';
import { ENGINES } from '../../src/engines/index.js';
import type { VkitError } from '../../src/errors/index.js';
import type { EngineGround, EngineUnderTest, OtherSession } from '../conformance/engine-ground.js';
import type { HeldProxy } from '../helpers/held-proxy.js';

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
/** The table again with columns in this order, into which the values of those go. */
const remake = (columns: readonly string[], from: readonly string[]): string =>
  transaction(
    'begin immediate',
    'pragma legacy_alter_table = on',
    `create table made (id integer primary key, ${columns.map((name) => `${name} varchar(40)`).join(', ')})`,
    `insert into made select id, ${from.join(', ')} from people`,
    'drop table people',
    'alter table made rename to people',
  );
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
  Record<'swap' | 'swapBelow' | 'exchange' | 'redefine', Change>
> = {
  postgres: {
    swap: both(transaction('begin', ...SWAP)),
    swapBelow: both(transaction('begin', ...SWAP)),
    exchange: both(transaction('begin', ...EXCHANGE)),
    redefine: {
      there: redefine('create or replace view', 'secret'),
      back: redefine('create or replace view', 'name'),
    },
  },
  mysql: {
    swap: both(SWAP_AT_ONCE),
    swapBelow: both(SWAP_AT_ONCE),
    exchange: both('rename table people to old, twins to people, old to twins'),
    redefine: {
      there: redefine('create or replace view', 'secret'),
      back: redefine('create or replace view', 'name'),
    },
  },
  sqlite: {
    swap: both(transaction('begin immediate', ...SWAP)),
    // A renamed column is renamed in views as well; in a table that is made anew, nothing is.
    swapBelow: {
      there: remake(['secret', 'name'], ['name', 'secret']),
      back: remake(['name', 'secret'], ['secret', 'name']),
    },
    exchange: both(transaction('begin immediate', 'pragma legacy_alter_table = on', ...EXCHANGE)),
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
};

export type Outcome = { rows: (readonly string[])[] } | { code: string };

export async function withWorld(
  engine: EngineUnderTest,
  use: (world: World) => Promise<void>,
  { proxy, sql = MAKE }: { proxy?: HeldProxy; sql?: string } = {},
): Promise<void> {
  await engine.withGround(async (ground) => {
    await ground.execute(sql);
    const { config } = ground.target;
    const target = {
      ...ground.target,
      config: proxy ? { ...config, host: '127.0.0.1', port: proxy.port } : config,
    };
    const connector = await ENGINES[engine.name].connect(target, { poolMax: 4 });
    const other = await ground.openSession();
    const ask: World['ask'] = async (name, rowsMax) => {
      const query = queryOf(ground.schema, await expectationOf(connector, ground.schema, name));
      return () => outcomeOf(connector, { ...query, ...(rowsMax && { rowsMax }) });
    };
    await use({ ...ground, connector, other, ask }).finally(() => connector.close());
  });
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
