import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { beforeAll, describe, expect, it, onTestFinished, type TestContext, vi } from 'vitest';
import type { ServerConfig } from '../../src/config/server-config.js';
import { loggedError } from '../../src/server/server-log.js';
import { type Governed, type Ground, governed } from '../helpers/governed.js';
import { findMysql, type MysqlServer } from '../helpers/mysql.js';
import { findPostgres, type PostgresServer } from '../helpers/postgres.js';
import { mysqlShop, postgresShop, SHOP_REGISTRY, sqliteShop } from '../helpers/shop.js';

const WIDE_SIDE = 224;
const WIDE_ROWS = WIDE_SIDE * WIDE_SIDE;
const FILLER_CHARACTERS = 2_000;
/** The rows themselves are 100 MB. */
const GROWTH_BYTES_MAX = 48 * 1024 * 1024;

/** A table too large for any buffer on the way, a view that takes a while for each row, and one that fails on a value. */
const tables = (side: number, filler: string, slow: string, broken: string): string => `
  create table wide (n integer primary key, filler varchar(${FILLER_CHARACTERS}));
  insert into wide with recursive d (i) as (select 1 union all select i + 1 from d where i < ${side})
    select (a.i - 1) * ${side} + b.i, ${filler} from d a, d b;
  create view slow as select id as n, ${slow} as filler from customers;
  create view broken as select id as n, ${broken} as filler from customers;`;

const REGISTRY = `${SHOP_REGISTRY}${['wide', 'slow', 'broken']
  .map(
    (name) => `
${name}:
  datasource: shop
  fields:
    n: {type: integer, sensitivity: low, category: internal}
    filler: {type: text, sensitivity: low, category: internal}
`,
  )
  .join('')}`;

let servers: Record<string, PostgresServer | MysqlServer> = {};
beforeAll(async () => {
  servers = { postgres: await findPostgres(), mysql: await findMysql() };
});

interface EngineCase {
  name: 'sqlite' | 'postgres' | 'mysql';
  /** `side` is the root of how many rows the table `wide` has. */
  ground(side: number): Promise<Ground>;
  /** What its error says, and the requester must not read. */
  error: RegExp;
}

const CASES: readonly EngineCase[] = [
  {
    name: 'sqlite',
    ground: (side) =>
      sqliteShop({
        registryText: REGISTRY,
        sql: tables(
          side,
          `printf('%0${FILLER_CHARACTERS}d', 0)`,
          `(with recursive c (i) as (select 1 union all select i + 1 from c where i < 1000000000)
            select count(*) from c) || ''`,
          `json_extract(email, '$.a')`,
        ),
      }),
    error: /malformed JSON/,
  },
  {
    name: 'postgres',
    ground: (side) =>
      postgresShop(servers.postgres?.url ?? '', {
        registryText: REGISTRY,
        sql: tables(
          side,
          `repeat('x', ${FILLER_CHARACTERS})`,
          'pg_sleep(20)::text',
          'email::integer::text',
        ),
      }),
    error: /zoe@example\.com/,
  },
  {
    name: 'mysql',
    ground: (side) =>
      mysqlShop(servers.mysql?.url ?? '', {
        registryText: REGISTRY,
        sql: `create function tell(value varchar(100)) returns varchar(100)
          begin signal sqlstate '45000' set message_text = value; return value; end;
        ${tables(side, `repeat('x', ${FILLER_CHARACTERS})`, 'cast(sleep(20) as char)', `tell(concat('it is ', coalesce(email, 'nobody')))`)}`,
      }),
    error: /it is /,
  },
];

const READ = (source_table: string) => ({ source_table, columns: ['n', 'filler'] });

interface World {
  g: Governed;
  ground: Ground;
  fetch(dataset: string, accept?: string, signal?: AbortSignal): Promise<Response>;
  /** How each query ended, as the log has it. */
  outcomes(): Promise<{ event: string; rows?: number | undefined; error?: string | undefined }[]>;
}

async function world(
  engine: EngineCase,
  context: TestContext,
  settings: Partial<ServerConfig> = {},
  side = 10,
): Promise<World> {
  if (servers[engine.name]?.url === null) context.skip(servers[engine.name]?.reason);
  const ground = await engine.ground(side);
  const g = await governed(ground, { row_cap: 100_000, ...settings });
  await g.deploy(['id: allow_all\naction: {allow: true}\n']);
  const token = await g.user({ email: 'ana@acme.test', roles: ['analyst'] });
  const url = await g.server.listen({ host: '127.0.0.1', port: 0 });
  return {
    g,
    ground,
    async fetch(dataset, accept = 'application/json', signal) {
      const { body } = await g.call(token, 'POST', '/orgs/acme/requests', { aql: READ(dataset) });
      if (typeof body.grant_ref !== 'string') throw new Error(JSON.stringify(body));
      return fetch(`${url}/api/v1/orgs/acme/grants/${body.grant_ref}/fetch`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, accept },
        ...(signal && { signal }),
      });
    },
    async outcomes() {
      await g.app.context.running.idle();
      const records = await g.app.context.store.audit.list({ order: 'asc', limit: 1_000 });
      return records
        .filter(({ event }) => event === 'query.executed' || event === 'query.failed')
        .map(({ event, execution }) => ({
          event,
          rows: execution?.rows_returned,
          error: execution?.error,
        }));
    },
  };
}

const FORMATS = ['application/json', 'application/x-ndjson', 'text/csv'];

/** How many queries the database itself says that it is working on, in this ground and not for this question. */
async function working({ engine, config }: Ground): Promise<number> {
  if (engine === 'sqlite') {
    const { stdout } = await promisify(execFile)('ps', ['-eo', 'ppid=,stat=,args=']);
    const ours = new RegExp(`^\\s*${process.pid}\\s+R.*sqlite-child`);
    return stdout.split('\n').filter((line) => ours.test(line)).length;
  }
  if (engine === 'postgres') {
    const client = new pg.Client({ connectionString: servers.postgres?.url ?? '' });
    await client.connect();
    const { rows } = await client
      .query(
        `select count(distinct a.pid)::int as n from pg_stat_activity a
         join pg_locks l on l.pid = a.pid join pg_class c on c.oid = l.relation
         where c.relnamespace = $1::regnamespace and a.state = 'active'`,
        [config.schema],
      )
      .finally(() => client.end());
    return rows[0].n;
  }
  const client = await mysql.createConnection(servers.mysql?.url ?? '');
  const [rows] = await client
    .query<mysql.RowDataPacket[]>(
      `select count(*) as n from information_schema.processlist
       where db = ? and command in ('Query', 'Execute')`,
      [config.database],
    )
    .finally(() => client.end());
  return rows[0]?.n;
}

describe.each(CASES.map((engine) => [engine.name, engine] as const))(
  '%s over HTTP',
  (_, engine) => {
    it('streams each format in flat memory, and asks the database for no more than is read', {
      timeout: 180_000,
    }, async (context) => {
      const { fetch, outcomes } = await world(engine, context, {}, WIDE_SIDE);
      // First, on connections of their own: the kernel buffers more for one that has carried much.
      for (const accept of FORMATS) {
        const answer = await fetch('wide', accept);
        const reader = answer.body?.getReader();
        await reader?.read();
        // Long enough for all of them, if nothing held them back.
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        await reader?.cancel();
        const outcome = (await outcomes()).at(-1);
        expect(outcome, accept).toMatchObject({ event: 'query.failed', error: 'interrupted' });
        expect(outcome?.rows, accept).toBeGreaterThan(0);
        expect(outcome?.rows, accept).toBeLessThan(WIDE_ROWS / 3);
      }
      const collect = exposeGarbageCollector();
      for (const accept of FORMATS) {
        const answer = await fetch('wide', accept);
        expect(answer.headers.get('content-type')).toContain(accept);
        let start = 0;
        let growth = 0;
        let bytes = 0;
        let lastMeasured = 0;
        for await (const chunk of answer.body ?? []) {
          bytes += chunk.length;
          if (bytes - lastMeasured < 5_000_000) continue;
          lastMeasured = bytes;
          collect();
          const { heapUsed, external } = process.memoryUsage();
          if (start === 0) start = heapUsed + external;
          growth = Math.max(growth, heapUsed + external - start);
        }
        expect(bytes, accept).toBeGreaterThan(WIDE_ROWS * FILLER_CHARACTERS);
        expect(growth, accept).toBeLessThan(GROWTH_BYTES_MAX);
        expect((await outcomes()).at(-1)).toEqual({ event: 'query.executed', rows: WIDE_ROWS });
      }
    });

    it('ends a query in the database when its client goes away', async (context) => {
      const { fetch, outcomes, ground } = await world(engine, context);
      const leaving = new AbortController();
      const answer = fetch('slow', undefined, leaving.signal).catch((error: unknown) => error);
      await vi.waitFor(async () => expect(await working(ground)).toBe(1), 5_000);
      leaving.abort();
      await answer;
      await vi.waitFor(async () => expect(await working(ground)).toBe(0), 5_000);
      expect(await outcomes()).toMatchObject([{ event: 'query.failed', error: 'interrupted' }]);
    });

    it('stops a query at the statement timeout', async (context) => {
      const { fetch, outcomes } = await world(engine, context, { statement_timeout_seconds: 1 });
      const answer = await fetch('slow');
      expect(answer.status).toBe(504);
      expect(await answer.json()).toMatchObject({ type: 'query_timeout' });
      expect(await outcomes()).toMatchObject([{ event: 'query.failed', error: 'query_timeout' }]);
    });

    it('tells the requester an id, the operator the code of the database, and nobody a value', async (context) => {
      const { g, fetch } = await world(engine, context);
      const logged = vi.spyOn(g.server.log, 'error');
      onTestFinished(() => logged.mockRestore());
      const answer = await fetch('broken');
      const text = await answer.text();
      expect(answer.status).toBe(502);
      expect(JSON.parse(text)).toMatchObject({
        type: 'datasource_error',
        correlation_id: answer.headers.get('x-correlation-id'),
      });
      expect(text).not.toMatch(engine.error);
      expect(text).not.toMatch(/zoe|example|syntax|SQLSTATE/);
      const [told] = logged.mock.calls[0] as unknown as [{ err: Error }];
      expect((told.err.cause as Error).message).toMatch(engine.error);
      const inLog = loggedError(told.err);
      // SQLite's own errors have no code that its interface tells.
      expect(inLog.cause?.code ?? 'none').toMatch(/^\w+$/);
      expect(JSON.stringify(inLog)).not.toMatch(engine.error);
    });

    it('runs no more queries of one requester at once than it may', async (context) => {
      const { g, fetch } = await world(engine, context, { queries_per_requester: 2 });
      const leaving = new AbortController();
      const running = [1, 2].map(() =>
        fetch('slow', undefined, leaving.signal).catch((error: unknown) => error),
      );
      await vi.waitFor(() => expect(g.app.context.running.size).toBe(2), 5_000);
      const refused = await fetch('wide');
      expect(refused.status).toBe(429);
      expect(await refused.json()).toMatchObject({ type: 'rate_limited' });
      leaving.abort();
      await Promise.all(running);
      await g.app.context.running.idle();
      const allowed = await fetch('wide', 'text/csv');
      expect(allowed.status).toBe(200);
      await allowed.body?.cancel();
    });
  },
);

function exposeGarbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}
