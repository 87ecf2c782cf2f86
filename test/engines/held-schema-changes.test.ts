import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { EngineUnderTest } from '../conformance/engine-ground.js';
import { enginesUnderTest } from '../conformance/engines.js';
import {
  attempt,
  CHANGES,
  type Change,
  MAKE,
  RIGHT,
  swapBelowView,
  VIEWS,
  type World,
  withWorld,
} from './changing-schema.js';

const CHANGED = { code: 'schema_changed' };
const ROWS = { rows: RIGHT };
const { postgres, mysql, sqlite } = enginesUnderTest;

/** What a driver sends at each step of a query, by which it is known where it is. */
const STEPS: readonly { engine: EngineUnderTest; lock: string; compare: string }[] = [
  { engine: postgres, lock: 'LOCK TABLE', compare: 'FROM ROWS FROM' },
  { engine: mysql, lock: 'LIMIT 0', compare: 'information_schema.TABLES' },
];
const QUERY = 'order by "id"';
/** So few rows are read at once where an engine can. */
const FEW = 10;

/** Asks, makes the change once the connector is at a step, and lets it go on. */
async function changeAt(
  { ask, hold, other }: World,
  step: string,
  dataset: string,
  change: string,
  rowsMax?: number,
): Promise<{ made: string; outcome: unknown }> {
  const query = await ask(dataset, rowsMax);
  const held = hold(step);
  const running = query();
  await held.reached;
  const made = await attempt(other, change);
  held.release();
  return { made, outcome: await running };
}

for (const { engine, lock, compare } of STEPS) {
  const changes = CHANGES[engine.name];
  const title = engine.skipped ? `${engine.name} (skipped: ${engine.skipped})` : engine.name;
  const cases: Record<string, { dataset: string; change: Change }> = {
    'two columns swapped': { dataset: 'people', change: changes.swap },
    'two tables exchanged': { dataset: 'people', change: changes.exchange },
    'a table dropped and made again': { dataset: 'people', change: changes.remake },
    'two columns swapped below a view': {
      dataset: 'outer_shown',
      change: swapBelowView(engine.name),
    },
    'a view redefined': { dataset: 'shown', change: changes.redefine },
    'a view below a view redefined': { dataset: 'outer_shown', change: changes.redefine },
  };

  describe.skipIf(engine.skipped !== null)(`a query that is held, ${title}`, () => {
    for (const [what, { dataset, change }] of Object.entries(cases)) {
      const held = async (step: string, expected: object, rowsMax?: number) =>
        withWorld(
          engine,
          async (world) => {
            const found = await changeAt(world, step, dataset, change.there, rowsMax);
            expect(found).toEqual(expected);
          },
          { proxied: true, sql: dataset === 'people' ? MAKE : `${MAKE};${VIEWS}` },
        );

      it(`before its lock: ${what} is seen`, () => held(lock, { made: 'done', outcome: CHANGED }));

      it(`between lock and comparison: ${what} has to wait`, () =>
        held(compare, { made: 'refused', outcome: ROWS }));

      it(`between comparison and execution: ${what} has to wait`, async () => {
        await held(QUERY, { made: 'refused', outcome: ROWS });
        await held(QUERY, { made: 'refused', outcome: ROWS }, FEW);
      });
    }

    it('lets a change through that waited, once its rows are read', () =>
      withWorld(engine, async ({ ask, begin, other }) => {
        const query = await ask('people');
        const reading = await begin('people');
        const changing = other.run(changes.swap.there);
        await delay(100);
        // Whoever comes later is behind the change.
        const later = query();
        await delay(100);
        expect(await reading.rest()).toEqual(RIGHT);
        await changing;
        expect(await later).toEqual(CHANGED);
      }));

    it('waits for a change that is not committed, and sees what becomes of it', () =>
      withWorld(engine, async ({ ask, other }) => {
        const queries = [await ask('people'), await ask('people', FEW)];
        for (const { open, end, expected } of UNCOMMITTED[engine.name] ?? []) {
          await other.run(open);
          const running = queries.map((query) => query());
          await delay(300);
          expect(await Promise.race([...running, 'waits'])).toBe('waits');
          await other.run(end);
          expect(await Promise.all(running)).toEqual([expected, expected]);
        }
      }));
  });
}

interface Uncommitted {
  open: string;
  end: string;
  expected: object;
}

/** Changes that are made and not committed, or while the table is locked where there is no such thing. */
const UNCOMMITTED: Partial<Record<EngineUnderTest['name'], readonly Uncommitted[]>> = {
  postgres: [
    { open: open(CHANGES.postgres.swap.there), end: 'commit', expected: CHANGED },
    { open: open(CHANGES.postgres.swap.back), end: 'commit', expected: ROWS },
    { open: open(CHANGES.postgres.swap.there), end: 'rollback', expected: ROWS },
  ],
  mysql: [
    {
      open: `lock tables people write; ${CHANGES.mysql.swap.there}`,
      end: 'unlock tables',
      expected: CHANGED,
    },
    {
      open: `lock tables people write; ${CHANGES.mysql.swap.back}`,
      end: 'unlock tables',
      expected: ROWS,
    },
  ],
};

function open(transaction: string): string {
  return transaction.replace(/;\s*commit$/, '');
}

describe.skipIf(postgres.skipped !== null)(`PostgreSQL ${postgres.skipped ?? ''}`, () => {
  /** A second schema with a table of the same name; whoever exchanges the schemas' names meets no lock of a table. */
  const withTwin = (use: (world: World, exchange: string) => Promise<void>) =>
    withWorld(
      postgres,
      async (world) => {
        const { schema, execute } = world;
        await execute(`create schema ${schema}_twin;
          create table ${schema}_twin.people (id int primary key, secret varchar(40), name varchar(40));
          insert into ${schema}_twin.people (id, name, secret) select id, secret, name from people`);
        const exchange = `begin; alter schema ${schema} rename to ${schema}_old;
          alter schema ${schema}_twin rename to ${schema};
          alter schema ${schema}_old rename to ${schema}_twin; commit`;
        await use(world, exchange).finally(() => execute(`drop schema ${schema}_twin cascade`));
      },
      { proxied: true },
    );

  for (const [step, rowsMax] of [
    ['LOCK TABLE', undefined],
    ['FROM ROWS FROM', undefined],
    [QUERY, undefined],
    [QUERY, FEW],
  ] as const) {
    it(`sees two schemas exchanged before it sends ${step}${rowsMax ? ' for few rows' : ''}`, () =>
      withTwin(async (world, exchange) => {
        const found = await changeAt(world, step, 'people', exchange, rowsMax);
        expect(found).toEqual({ made: 'done', outcome: CHANGED });
      }));
  }

  it('sees it as well where the comparison was remembered', () =>
    withTwin(async (world, exchange) => {
      const query = await world.ask('people', FEW);
      expect(await query()).toEqual(ROWS);
      const held = world.hold(QUERY);
      const running = query();
      await held.reached;
      await world.other.run(exchange);
      held.release();
      expect(await running).toEqual(CHANGED);
      expect(await query()).toEqual(CHANGED);
      await world.other.run(exchange);
      expect(await query()).toEqual(ROWS);
    }));

  it('remembers no comparison of a table that it had not locked', () =>
    withTwin(async ({ ask, hold, other, schema, execute }, exchange) => {
      await execute(`drop table ${schema}_twin.people;
        create table ${schema}_twin.people (id int primary key, name varchar(40), secret varchar(40));
        insert into ${schema}_twin.people select * from people`);
      const query = await ask('people', FEW);
      const comparing = hold('FROM ROWS FROM');
      const running = query();
      await comparing.reached;
      await other.run(exchange);
      const reading = hold('LOCK TABLE');
      comparing.release();
      await reading.reached;
      await other.run(`set search_path to ${schema}; ${CHANGES.postgres.swap.there}`);
      reading.release();
      expect(await running).toEqual(CHANGED);
      expect(await query()).toEqual(CHANGED);
    }));

  it('sees it where the names went there and back', () =>
    withTwin(async (world, exchange) => {
      const query = await world.ask('people', FEW);
      const held = world.hold(QUERY);
      const running = query();
      await held.reached;
      await world.other.run(exchange);
      await world.other.run(exchange);
      held.release();
      // The rows would be the right ones: a name that changed is refused without a look at them.
      expect(await running).toEqual(CHANGED);
      expect(await query()).toEqual(ROWS);
    }));

  it('shows the rows of a partition that is attached, under its names', () =>
    withWorld(
      postgres,
      async (world) => {
        const { schema } = world;
        const found = await changeAt(
          world,
          QUERY,
          'people',
          `alter table ${schema}.people attach partition ${schema}.more for values from (3) to (9)`,
        );
        expect(found).toEqual({ made: 'done', outcome: ROWS });
      },
      {
        proxied: true,
        sql: `create table people (id int, name varchar(40), secret varchar(40)) partition by range (id);
          create table few partition of people for values from (1) to (3);
          insert into people values (1, 'public-1', 'SECRET-1'), (2, 'public-2', 'SECRET-2');
          create table more (secret varchar(40), id int, name varchar(40));
          insert into more values ('SECRET-3', 3, 'public-3')`,
      },
    ));

  it('takes no temporary table of another session for its own', () =>
    withWorld(postgres, async ({ ask, other }) => {
      const query = await ask('people');
      await other.run(`create temporary table people as select id, secret as name from people`);
      expect(await query()).toEqual(ROWS);
    }));
});

describe.skipIf(mysql.skipped !== null)(`MySQL ${mysql.skipped ?? ''}`, () => {
  it('takes no temporary table of another session for its own', () =>
    withWorld(mysql, async ({ ask, other }) => {
      const query = await ask('people');
      await other.run('create temporary table people (id int, name varchar(40))');
      expect(await query()).toEqual(ROWS);
    }));

  it('sees a database that was dropped and made again with other columns', () =>
    withWorld(mysql, async ({ ask, other, schema }) => {
      const query = await ask('people');
      expect(await query()).toEqual(ROWS);
      await other.run(`drop database ${schema}; create database ${schema}; use ${schema};
        create table people (id integer primary key, secret varchar(40), name varchar(40))`);
      expect(await query()).toEqual(CHANGED);
    }));
});

describe('SQLite, where another process', () => {
  for (const mode of ['wal', 'delete']) {
    const withMode = (use: (world: World) => Promise<void>) =>
      withWorld(sqlite, use, { sql: `pragma journal_mode = ${mode}; ${MAKE}` });
    const { swap } = CHANGES.sqlite;

    it(`has not committed a change, journal_mode ${mode}: does not see it`, () =>
      withMode(async ({ ask, other }) => {
        const query = await ask('people');
        await other.run(open(swap.there));
        expect(await query()).toEqual(ROWS);
        await other.run('commit');
        expect(await query()).toEqual(CHANGED);
      }));

    it(`has the file for itself, journal_mode ${mode}: ${mode === 'wal' ? 'does not see its change' : 'waits for it'}`, () =>
      withMode(async ({ ask, other }) => {
        const query = await ask('people');
        await other.run(open(swap.there).replace('begin immediate', 'begin exclusive'));
        const running = query();
        if (mode === 'wal') expect(await running).toEqual(ROWS);
        await delay(300);
        await other.run('commit');
        if (mode !== 'wal') expect(await running).toEqual(CHANGED);
        await other.run(open(swap.back).replace('begin immediate', 'begin exclusive'));
        const later = query();
        await delay(300);
        await other.run('rollback');
        expect(await later).toEqual(CHANGED);
      }));

    it(`changes it while rows are read, journal_mode ${mode}: ${mode === 'wal' ? 'reads on' : 'lets it wait'}`, () =>
      withMode(async ({ ask, begin, other }) => {
        const query = await ask('people');
        const reading = await begin('people');
        const made = await attempt(other, swap.there);
        expect(made).toBe(mode === 'wal' ? 'done' : 'refused');
        expect(await reading.rest()).toEqual(RIGHT);
        if (made === 'refused') await other.run(swap.there);
        expect(await query()).toEqual(CHANGED);
      }));
  }
});
