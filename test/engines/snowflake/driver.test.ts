import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CompiledQuery, TableExpectation } from '../../../src/aql/plan.js';
import type { Connector, Credentials } from '../../../src/engines/contract.js';
import { ENGINES } from '../../../src/engines/index.js';
import { VkitError } from '../../../src/errors/index.js';
import { temporaryFolder } from '../../helpers/temporary-folder.js';
import {
  type FakeAnswer,
  type FakeColumn,
  type FakeOptions,
  type FakeRow,
  type FakeSnowflake,
  startFakeSnowflake,
} from './fake-snowflake.js';

const PASSWORD = 's3cret-passw0rd';
const LOGIN: Credentials = { username: 'VKIT', password: PASSWORD };
const TIMEOUT_MS = 10_000;

let fake: FakeSnowflake;
const open: Connector[] = [];
const hosts = new Set<string>();

beforeAll(async () => {
  fake = await startFakeSnowflake();
  const connect = Socket.prototype.connect;
  vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket, ...args) {
    // Node gives its own options as a list.
    const [first] = (Array.isArray(args[0]) ? args[0] : args) as unknown[];
    const { host, path } = (
      typeof first === 'object' && first !== null ? first : { host: args[1] }
    ) as {
      host?: string;
      path?: string;
    };
    hosts.add(String(path ?? host ?? 'localhost'));
    return connect.apply(this, args as Parameters<typeof connect>);
  });
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((connector) => connector.close()));
  fake.options = {};
  fake.logins = [];
  fake.statements = [];
  fake.cancelled = [];
  fake.logouts = 0;
  fake.renewals = 0;
  fake.chunksSent = 0;
});

afterAll(async () => {
  await fake.close();
  vi.restoreAllMocks();
});

async function connect(
  options: FakeOptions = {},
  config: Record<string, unknown> = {},
  credentials = LOGIN,
): Promise<Connector> {
  fake.options = options;
  const connector = await ENGINES.snowflake.connect({
    id: 'warehouse',
    config: {
      account: 'acme-shop',
      database: 'SHOP',
      host: '127.0.0.1',
      port: Number(fake.url.port),
      protocol: 'http',
      ...config,
    },
    credentials,
  });
  open.push(connector);
  return connector;
}

function query(
  types: readonly string[],
  params: CompiledQuery['params'] = [],
  tables: readonly TableExpectation[] = [],
): CompiledQuery {
  const columns = types.map((type, at) => ({ name: `c${at + 1}`, type }));
  return { sql: 'SELECT * FROM "PUBLIC"."T" AS "t1"', params, columns, tables };
}

/** The answer to the query of a test; everything else is the fake's. */
const answering = (answer: FakeAnswer): FakeOptions => ({
  answer: ({ sql }) => (sql.includes('"t1"') ? answer : undefined),
});

async function readAll(
  connector: Connector,
  compiled: CompiledQuery,
  options: { batchRows?: number; timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<string[][]> {
  const rows: string[][] = [];
  for await (const batch of connector.run(compiled, { timeoutMs: TIMEOUT_MS, ...options })) {
    rows.push(...batch.map((row) => [...row]));
  }
  return rows;
}

async function failureOf(work: Promise<unknown>): Promise<VkitError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof VkitError)) throw new Error(`no VkitError: ${String(error)}`);
  return error;
}

/** Everything an error holds, its causes too. */
function wholeText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = JSON.stringify(error, Object.getOwnPropertyNames(error));
  return `${own} ${error.cause === undefined ? '' : wholeText(error.cause)}`;
}

const NUMBER: FakeColumn = { name: 'N', type: 'fixed', scale: 0 };
const numbers = (from: number, to: number): FakeRow[] =>
  Array.from({ length: to - from }, (_, at) => [String(from + at)]);

describe('a login at Snowflake', () => {
  it('sends user and password, pins the session and tells the version', async () => {
    const connector = await connect({}, { warehouse: 'WH', role: 'READER', schema: 'SALES' });
    expect(await connector.test()).toMatchObject({ server: 'snowflake 9.31.0' });
    const [login] = fake.logins;
    expect(login?.data).toMatchObject({
      ACCOUNT_NAME: 'acme-shop',
      LOGIN_NAME: 'VKIT',
      PASSWORD,
      CLIENT_ENVIRONMENT: expect.objectContaining({ APPLICATION: 'vkit', PLATFORM: ['disabled'] }),
    });
    expect(Object.fromEntries(login?.query ?? [])).toMatchObject({
      warehouse: 'WH',
      databaseName: 'SHOP',
      schemaName: 'SALES',
      roleName: 'READER',
    });
    const [pin] = fake.statements;
    expect(pin?.sql).toContain("TIMEZONE = 'UTC'");
    expect(pin?.sql).toContain('QUOTED_IDENTIFIERS_IGNORE_CASE = FALSE');
    expect(pin?.sql).toContain("QUERY_TAG = 'vkit'");
    expect(pin?.sql).toContain('ROWS_PER_RESULTSET = 0');
    expect(fake.statements.map(({ sql }) => sql)).toContain(
      'ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = 10 STATEMENT_QUEUED_TIMEOUT_IN_SECONDS = 10',
    );
  });

  it('that is refused is an error, without the password', async () => {
    const message = `Incorrect username or password was specified: ${PASSWORD}`;
    const connector = await connect({ refuse: () => ({ code: '390100', message }) });
    const error = await failureOf(connector.test());
    expect(error.code).toBe('datasource_unreachable');
    expect(error.cause).toMatchObject({ code: '390100' });
    expect(wholeText(error)).not.toContain(PASSWORD);
  });

  it('by key pair signs a token of the account and user, with the key of an encrypted file', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const path = join(await temporaryFolder(), 'key.p8');
    const passphrase = 'pass-phr4se';
    const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const;
    await writeFile(path, privateKey.export(encrypted));
    const config = { private_key_file: path };
    const connector = await connect({}, config, { username: 'VKIT', password: passphrase });
    await connector.test();
    const data = fake.logins[0]?.data ?? {};
    expect(data).toMatchObject({ AUTHENTICATOR: 'SNOWFLAKE_JWT', LOGIN_NAME: 'VKIT' });
    expect(data.PASSWORD).toBeUndefined();
    const claims = decodeJwt(String(data.TOKEN));
    expect(claims.sub).toBe('ACME-SHOP.VKIT');
    expect(claims.iss).toMatch(/^ACME-SHOP\.VKIT\.SHA256:/);
    expect(publicKey.asymmetricKeyType).toBe('rsa');

    const wrong = { username: 'VKIT', password: 'wr0ng-phrase' };
    const error = await failureOf(connect({}, config, wrong));
    expect(error.code).toBe('config_invalid');
    expect(wholeText(error)).not.toContain('wr0ng-phrase');
    const noFile = await failureOf(connect({}, { private_key_file: `${path}.none` }));
    expect(noFile.code).toBe('config_invalid');
  });

  it.each([
    ['oauth', 'OAUTH'],
    ['programmatic_access_token', 'PROGRAMMATIC_ACCESS_TOKEN'],
  ])('by %s sends the token and no password', async (authenticator, sent) => {
    const connector = await connect({}, { authenticator }, { ...LOGIN, password: 't0k3n-of-mine' });
    await connector.test();
    expect(fake.logins[0]?.data).toMatchObject({ AUTHENTICATOR: sent, TOKEN: 't0k3n-of-mine' });
    expect(fake.logins[0]?.data.PASSWORD).toBeUndefined();
  });

  it.each([
    ['no username', {}, { password: 'x' }],
    ['no password', {}, { username: 'VKIT' }],
    ['a key pair without a key', { authenticator: 'snowflake_jwt' }, LOGIN],
    ['a password in clear to another machine', { host: 'acme.example' }, LOGIN],
  ])('with %s is refused before anything is sent', async (_, config, credentials) => {
    const error = await failureOf(connect({}, config, credentials));
    expect(error.code).toBe('config_invalid');
    expect(fake.logins).toEqual([]);
  });

  it.each([
    ['another database', { database: 'OTHER' }],
    ['no database', { database: null }],
    ['no warehouse', { warehouse: null }],
  ])('into %s is refused', async (_, options) => {
    expect((await failureOf((await connect(options)).test())).code).toBe('config_invalid');
  });

  it('at an address where nobody listens is an error soon', async () => {
    const connector = await connect({}, { port: 1 });
    const error = await failureOf(connector.test());
    expect(error.code).toBe('datasource_unreachable');
    expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('a query on Snowflake', () => {
  it('binds its values by their types', async () => {
    const connector = await connect(answering({ columns: [NUMBER], rows: [['1']] }));
    await readAll(connector, query(['bigint'], ['9007199254740993', "a'b", true]));
    expect(fake.statements.at(-1)?.bindings).toEqual({
      1: { type: 'TEXT', value: '9007199254740993' },
      2: { type: 'TEXT', value: "a'b" },
      3: { type: 'BOOLEAN', value: 'true' },
    });
  });

  const CASES: readonly [
    type: string,
    column: Omit<FakeColumn, 'name'>,
    cell: string,
    json: string,
  ][] = [
    ['bigint', { type: 'fixed', scale: 0 }, '9007199254740991', '9007199254740991'],
    [
      'bigint',
      { type: 'fixed', scale: 0 },
      '12345678901234567890123456789012345678',
      '"12345678901234567890123456789012345678"',
    ],
    ['numeric', { type: 'fixed', scale: 2 }, '12.50', '12.5'],
    [
      'numeric',
      { type: 'fixed', scale: 10 },
      '-1234567890123456789012345678.0123456789',
      '"-1234567890123456789012345678.0123456789"',
    ],
    ['numeric', { type: 'text' }, '10/3', '"3.3333333333333333"'],
    ['numeric', { type: 'text' }, '-0.50/2', '-0.25'],
    ['double', { type: 'real' }, '0.1', '0.1'],
    ['double', { type: 'real' }, '1e+30', '1e+30'],
    ['double', { type: 'real' }, 'NaN', '"NaN"'],
    ['double', { type: 'real' }, '-inf', '"-Infinity"'],
    ['boolean', { type: 'boolean' }, '1', 'true'],
    ['boolean', { type: 'boolean' }, 'false', 'false'],
    ['text', { type: 'text' }, 'naïve🦆 NULL', '"naïve🦆 NULL"'],
    ['text', { type: 'text' }, '', '""'],
    ['text', { type: 'text' }, 'NULL', '"NULL"'],
    ['text', { type: 'text' }, '1/2', '"1/2"'],
    ['date', { type: 'date', scale: 0 }, '19782', '"2024-02-29"'],
    ['date', { type: 'date', scale: 0 }, '-719162', '"0001-01-01"'],
    ['time', { type: 'time', scale: 9 }, '27000.000000000', '"07:30:00"'],
    ['time', { type: 'time', scale: 9 }, '27000.120000000', '"07:30:00.12"'],
    [
      'timestamp',
      { type: 'timestamp_ntz', scale: 9 },
      '1772359200.123456789',
      '"2026-03-01T10:00:00.123456789Z"',
    ],
    ['timestamp', { type: 'timestamp_ntz', scale: 9 }, '-0.500000000', '"1969-12-31T23:59:59.5Z"'],
    [
      'timestamptz',
      { type: 'timestamp_ltz', scale: 3 },
      '1772359200.000',
      '"2026-03-01T10:00:00Z"',
    ],
    // Minutes of the offset, 1440 added to them: two hours to the east.
    [
      'timestamptz',
      { type: 'timestamp_tz', scale: 9 },
      '1772359200.500000000 1560',
      '"2026-03-01T10:00:00.5Z"',
    ],
    ['bytes', { type: 'binary' }, '0001FF', '"AAH/"'],
    [
      'json',
      { type: 'variant' },
      '{ "n": 12345678901234567890, "a": [1.10] }',
      '{"n":12345678901234567890,"a":[1.10]}',
    ],
    ['json', { type: 'array' }, '[]', '[]'],
    ['geometry', { type: 'text' }, '{"type":"Point"}', '"{\\"type\\":\\"Point\\"}"'],
  ];

  it.each(CASES)('reads %s of %o as %s', async (type, column, cell, json) => {
    const result = { columns: [{ name: 'C', ...column }], rows: [[cell], [null]] };
    const connector = await connect(answering(result));
    expect(await readAll(connector, query([type]))).toEqual([[json], ['null']]);
  });

  it('reads the files of a large result one after the other, and no further than asked', async () => {
    const chunks = Array.from({ length: 6 }, (_, at) =>
      numbers(2_500 * (at + 1), 2_500 * (at + 2)),
    );
    const connector = await connect(
      answering({ columns: [NUMBER], rows: numbers(0, 2_500), chunks }),
    );
    expect((await readAll(connector, query(['bigint']))).map(([n]) => Number(n))).toEqual(
      Array.from({ length: 17_500 }, (_, at) => at),
    );
    expect(fake.chunksSent).toBe(6);

    fake.chunksSent = 0;
    for await (const batch of connector.run(query(['bigint']), { timeoutMs: TIMEOUT_MS })) {
      expect(batch[0]).toEqual(['0']);
      await new Promise((resolve) => setTimeout(resolve, 100));
      break;
    }
    expect(fake.chunksSent).toBeLessThanOrEqual(2);
    // Who left early had its statement cancelled, and its session serves the next.
    expect(fake.cancelled).toHaveLength(1);
    await connector.test();
    expect(fake.logins).toHaveLength(1);
  });

  it('waits for one that answers later', async () => {
    const result = { columns: [NUMBER], rows: [['7']] };
    const connector = await connect(answering({ polls: 2, result }));
    expect(await readAll(connector, query(['bigint']))).toEqual([['7']]);
  });

  it('goes on when the token of its session is renewed', async () => {
    let isExpired = false;
    const connector = await connect({
      answer({ sql }) {
        if (!sql.includes('"t1"')) return undefined;
        if (isExpired) return { columns: [NUMBER], rows: [['7']] };
        isExpired = true;
        return 'expired';
      },
    });
    expect(await readAll(connector, query(['bigint']))).toEqual([['7']]);
    expect(fake.renewals).toBe(1);
    expect(fake.logins).toHaveLength(1);
  });

  it('logs in again where the session is gone', async () => {
    const connector = await connect(answering({ columns: [NUMBER], rows: [['7']] }));
    await readAll(connector, query(['bigint']));
    fake.endSessions();
    // Another limit of its time makes the session answer before the query is sent.
    expect(await readAll(connector, query(['bigint']), { timeoutMs: 5_000 })).toEqual([['7']]);
    expect(fake.logins).toHaveLength(2);
  });

  it('is cancelled in the service when the signal aborts', async () => {
    const connector = await connect(answering('runs'));
    const abort = new AbortController();
    const failure = failureOf(readAll(connector, query(['bigint']), { signal: abort.signal }));
    await vi.waitFor(() => expect(fake.statements.at(-1)?.sql).toContain('"t1"'));
    abort.abort();
    expect((await failure).code).toBe('interrupted');
    expect(fake.cancelled.length).toBeGreaterThan(0);
  });

  it('is cancelled in the service when its time is over', async () => {
    const connector = await connect(answering('runs'));
    const error = await failureOf(readAll(connector, query(['bigint']), { timeoutMs: 300 }));
    expect(error.code).toBe('query_timeout');
    expect(fake.cancelled.length).toBeGreaterThan(0);
  });

  it.each([
    ['000630', 'query_timeout'],
    ['000604', 'datasource_error'],
    ['100038', 'datasource_error'],
    ['390201', 'datasource_unreachable'],
  ])('that fails with %s is %s, and only its cause has the text', async (code, expected) => {
    const message = "Numeric value 'raw-value' is not recognized";
    const connector = await connect(answering({ error: { code, message } }));
    const error = await failureOf(readAll(connector, query(['bigint'])));
    expect(error.code).toBe(expected);
    expect(`${error.message} ${error.hint}`).not.toContain('raw-value');
    expect(error.cause).toMatchObject({ code });
    for (const secret of [PASSWORD, 't0ken']) expect(wholeText(error)).not.toContain(secret);
  });

  it('whose answer has other columns is an error', async () => {
    const connector = await connect(
      answering({ columns: [{ ...NUMBER, name: 'A' }], rows: [['1']] }),
    );
    const wide = query(['bigint', 'bigint']);
    expect((await failureOf(readAll(connector, wide))).code).toBe('datasource_error');
  });

  it('ends with an error, not with fewer rows, where a file of its result is gone', async () => {
    const result = { columns: [NUMBER], rows: numbers(0, 5), chunks: [numbers(5, 9)] };
    const connector = await connect({ ...answering(result), losesChunks: true });
    expect((await failureOf(readAll(connector, query(['bigint'])))).code).toBe(
      'datasource_unreachable',
    );
  });

  it('whose connection breaks again and again is over in its time', async () => {
    const connector = await connect(answering('drops'));
    const error = await failureOf(readAll(connector, query(['bigint']), { timeoutMs: 500 }));
    expect(error.code).toBe('query_timeout');
    await connector.close();
  });

  it('leaves no session behind when the connector closes', async () => {
    const connector = await connect(answering({ columns: [NUMBER], rows: [['7']] }));
    await Promise.all([1, 2, 3].map(() => readAll(connector, query(['bigint']))));
    const logins = fake.logins.length;
    await connector.close();
    expect(fake.logouts).toBe(logins);
    expect((await failureOf(readAll(connector, query(['bigint'])))).code).toBe(
      'datasource_unreachable',
    );
  });

  it('that does not read is never sent', async () => {
    const connector = await connect();
    const writing = { ...query(['bigint']), sql: 'DELETE FROM "PUBLIC"."T"' };
    await failureOf(readAll(connector, writing));
    expect(fake.statements.filter(({ sql }) => sql.includes('DELETE'))).toEqual([]);
  });
});

const texts = (...names: string[]): FakeColumn[] => names.map((name) => ({ name, type: 'text' }));
const COLUMN_NAMES =
  'TABLE_SCHEMA TABLE_NAME COLUMN_NAME ORDINAL_POSITION DATA_TYPE CHARACTER_MAXIMUM_LENGTH NUMERIC_PRECISION NUMERIC_SCALE COLLATION_NAME IS_NULLABLE COLUMN_DEFAULT COMMENT'.split(
    ' ',
  );

interface FakeCatalog {
  tables: FakeRow[];
  columns: FakeRow[];
  views: FakeRow[];
}

/** Answers about the catalog as the service does, by what stands in the statement. */
function catalogAnswers(catalog: () => FakeCatalog): FakeOptions {
  return {
    answer({ sql, bindings }) {
      const bound = Object.values(bindings).map(({ value }) => value);
      const isAsked = (row: FakeRow) =>
        bound.length === 0 ||
        (sql.includes(' IN (')
          ? bound.includes(row[1] ?? '')
          : bound.some((name, at) => at % 2 === 0 && name === row[0] && bound[at + 1] === row[1]));
      if (sql.includes('INFORMATION_SCHEMA.TABLES')) {
        return { columns: texts('S', 'N', 'T'), rows: catalog().tables.filter(isAsked) };
      }
      if (sql.includes('INFORMATION_SCHEMA.COLUMNS')) {
        return { columns: texts(...COLUMN_NAMES), rows: catalog().columns.filter(isAsked) };
      }
      if (sql.includes('INFORMATION_SCHEMA.VIEWS')) {
        return { columns: texts('S', 'N', 'D'), rows: catalog().views.filter(isAsked) };
      }
      if (sql.startsWith('SHOW IMPORTED KEYS')) {
        const names =
          'created_on pk_database_name pk_schema_name pk_table_name pk_column_name fk_database_name fk_schema_name fk_table_name fk_column_name key_sequence fk_name';
        const key = [
          'now',
          'SHOP',
          'PUBLIC',
          'people',
          'id',
          'SHOP',
          'PUBLIC',
          'orders',
          'person',
          '1',
          'FK',
        ];
        const foreign = [
          'now',
          'ELSEWHERE',
          'S',
          't',
          'id',
          'SHOP',
          'PUBLIC',
          'orders',
          'id',
          '1',
          'FK2',
        ];
        return { columns: texts(...names.split(' ')), rows: [key, foreign] };
      }
      return sql.includes('"t1"') ? { columns: [NUMBER], rows: [['7']] } : undefined;
    },
  };
}

const column = (
  table: string,
  name: string,
  at: number,
  type: string,
  more: (string | null)[] = [],
): FakeRow => {
  const [
    length = null,
    precision = null,
    scale = null,
    collation = null,
    nullable = 'YES',
    byDefault = null,
    comment = null,
  ] = more;
  return [
    'PUBLIC',
    table,
    name,
    String(at),
    type,
    length,
    precision,
    scale,
    collation,
    nullable,
    byDefault,
    comment,
  ];
};

const CATALOG: FakeCatalog = {
  tables: [
    ['PUBLIC', 'people', 'BASE TABLE'],
    ['PUBLIC', 'orders', 'BASE TABLE'],
    ['PUBLIC', 'active', 'VIEW'],
    ['PUBLIC', 'totals', 'MATERIALIZED VIEW'],
    ['PUBLIC', 'scratch', 'LOCAL TEMPORARY'],
    ['SALES', 'feed', 'EXTERNAL TABLE'],
  ],
  columns: [
    column('people', 'mail', 3, 'TEXT', [
      '200',
      null,
      null,
      'en-ci',
      'YES',
      "'x'",
      'where to write',
    ]),
    column('people', 'id', 1, 'NUMBER', [null, '38', '0', null, 'NO']),
    column('people', 'balance', 4, 'NUMBER', [null, '12', '2']),
    column('orders', 'person', 1, 'NUMBER', [null, '9', '0']),
    column('active', 'id', 1, 'NUMBER', [null, '38', '0']),
    column('totals', 'seen', 1, 'TIMESTAMP_TZ'),
  ],
  views: [
    ['PUBLIC', 'active', 'create view active as select * from BASE_VIEW'],
    ['SALES', 'BASE_VIEW', 'create view BASE_VIEW as select id from people'],
    ['PUBLIC', 'secret', null],
  ],
};

describe('a scan of Snowflake', () => {
  it('reads tables, views and columns, and believes no key', async () => {
    const connector = await connect(catalogAnswers(() => CATALOG));
    const schema = await connector.introspect();
    expect(schema).toMatchObject({ server: 'snowflake 9.31.0', defaultSchema: 'PUBLIC' });
    expect(schema.tables.map(({ table, kind }) => [table.schema, table.name, kind])).toEqual([
      ['PUBLIC', 'active', 'view'],
      ['PUBLIC', 'orders', 'table'],
      ['PUBLIC', 'people', 'table'],
      ['PUBLIC', 'totals', 'materialized_view'],
      ['SALES', 'feed', 'foreign_table'],
    ]);
    const people = schema.tables.find(({ table }) => table.name === 'people');
    expect(people?.columns).toMatchObject([
      { name: 'id', type: 'bigint', native: 'NUMBER(38,0)', position: 1, nullable: false },
      {
        name: 'mail',
        type: 'varchar',
        native: "TEXT(200) COLLATE 'en-ci'",
        position: 2,
        comment: 'where to write',
      },
      { name: 'balance', type: 'numeric', native: 'NUMBER(12,2)', position: 3 },
    ]);
    for (const table of schema.tables) {
      expect(table).toMatchObject({ primary_key: [], unique_keys: [] });
    }
    const orders = schema.tables.find(({ table }) => table.name === 'orders');
    expect(orders?.foreign_keys).toEqual([
      { columns: ['person'], references: { schema: 'PUBLIC', table: 'people', columns: ['id'] } },
    ]);
    expect(fake.statements.length).toBeLessThan(10);
  });

  it('keeps to the globs', async () => {
    const connector = await connect(catalogAnswers(() => CATALOG));
    const { tables } = await connector.introspect({ include: ['PUBLIC.*'], exclude: ['*.totals'] });
    expect(tables.map(({ table }) => table.name)).toEqual(['active', 'orders', 'people']);
  });
});

describe('the reviewed schema of Snowflake', () => {
  async function expectations(connector: Connector): Promise<TableExpectation[]> {
    const { tables } = await connector.introspect();
    return tables
      .filter(({ table }) => ['people', 'active'].includes(table.name))
      .map(({ table, kind, definition_digest, columns }) => ({
        dataset: table.name,
        table,
        kind,
        ...(definition_digest === undefined ? {} : { definition_digest }),
        columns: columns.map(({ name, type, position }) => ({ name, type, position })),
      }));
  }

  it('is compared before a query, and not again for the next ones', async () => {
    const connector = await connect(catalogAnswers(() => CATALOG));
    const tables = await expectations(connector);
    expect(tables.find(({ dataset }) => dataset === 'active')?.definition_digest).toMatch(
      /^[0-9a-f]{64}$/,
    );
    const before = fake.statements.length;
    expect(await readAll(connector, query(['bigint'], [], tables))).toEqual([['7']]);
    const compared = fake.statements.slice(before);
    expect(compared.at(-1)?.sql).toContain('"t1"');
    expect(compared.some(({ sql }) => sql.includes('INFORMATION_SCHEMA'))).toBe(true);
    const after = fake.statements.length;
    await readAll(connector, query(['bigint'], [], tables));
    expect(
      fake.statements.slice(after).map(({ sql }) => sql.includes('INFORMATION_SCHEMA')),
    ).toEqual([false]);
  });

  const CHANGES: Record<string, (catalog: FakeCatalog) => FakeCatalog> = {
    'a column of another type': (catalog) => ({
      ...catalog,
      columns: catalog.columns.map((row) =>
        row[2] === 'mail' ? column('people', 'mail', 3, 'VARIANT') : row,
      ),
    }),
    'a column that is gone': (catalog) => ({
      ...catalog,
      columns: catalog.columns.filter((row) => row[2] !== 'mail'),
    }),
    'a table that is gone': (catalog) => ({
      ...catalog,
      tables: catalog.tables.filter((row) => row[1] !== 'people'),
    }),
    'a view with another definition': (catalog) => ({
      ...catalog,
      views: catalog.views.map((row) => (row[1] === 'active' ? ['PUBLIC', 'active', 'else'] : row)),
    }),
    'another definition of a view below it': (catalog) => ({
      ...catalog,
      views: catalog.views.map((row) =>
        row[1] === 'BASE_VIEW' ? ['SALES', 'BASE_VIEW', 'select mail as id from people'] : row,
      ),
    }),
  };

  it.each(Object.entries(CHANGES))(
    'refuses %s, and nothing of the query runs',
    async (_, change) => {
      let catalog = CATALOG;
      const connector = await connect(catalogAnswers(() => catalog));
      const tables = await expectations(connector);
      catalog = change(CATALOG);
      const before = fake.statements.length;
      const error = await failureOf(readAll(connector, query(['bigint'], [], tables)));
      expect(error.code).toBe('schema_changed');
      expect(fake.statements.slice(before).some(({ sql }) => sql.includes('"t1"'))).toBe(false);
      // A new review is believed at once, whatever was read before.
      const reviewed = await expectations(connector);
      expect(await readAll(connector, query(['bigint'], [], reviewed))).toEqual([['7']]);
    },
  );
});

describe('the official driver', () => {
  it('has spoken with this machine alone, and of nothing the fake does not know', () => {
    expect([...hosts]).toEqual(['127.0.0.1']);
    expect(fake.unknown).toEqual([]);
  });
});
