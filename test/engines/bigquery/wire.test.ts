import { describe, expect, it, vi } from 'vitest';
import type { CompiledQuery } from '../../../src/aql/plan.js';
import type {
  FieldSchema,
  TableResource,
  WireRow,
  WireValue,
} from '../../../src/engines/bigquery/api.js';
import { bigquery } from '../../../src/engines/bigquery/index.js';
import type { Connector } from '../../../src/engines/contract.js';
import type { VkitError } from '../../../src/errors/index.js';
import {
  apiError,
  type Call,
  DATASET,
  type EmulatorOptions,
  JobFailure,
  PROJECT,
  withBigquery,
} from '../../helpers/bigquery-emulator.js';

const FIELDS: readonly FieldSchema[] = [
  { name: 'id', type: 'INTEGER', mode: 'REQUIRED' },
  { name: 'email', type: 'STRING', description: 'Where to write to.' },
];

const PEOPLE: TableResource = {
  tableReference: { projectId: PROJECT, datasetId: DATASET, tableId: 'people' },
  type: 'TABLE',
  schema: { fields: FIELDS },
};

const EXPECTED = {
  dataset: 'people',
  table: { schema: `${PROJECT}.${DATASET}`, name: 'people' },
  kind: 'table' as const,
  columns: [
    { name: 'id', type: 'bigint', position: 1 },
    { name: 'email', type: 'text', position: 2 },
  ],
};

const QUERY: CompiledQuery = {
  sql: 'SELECT `t1`.`id` AS `c1`, `t1`.`email` AS `c2` FROM `acme-prod`.`sales`.`people` AS `t1` LIMIT 5',
  params: [],
  columns: [
    { name: 'id', type: 'bigint' },
    { name: 'email', type: 'text' },
  ],
  tables: [EXPECTED],
};

const row = (...values: WireValue[]): WireRow => ({ f: values.map((v) => ({ v })) });
const people = (count: number) =>
  Array.from({ length: count }, (_, index) => row(String(index + 1), `p${index + 1}`));

/** The API with one table of ten rows, unless something else is said. */
async function emulated(
  options: Partial<EmulatorOptions>,
  use: (connector: Connector, calls: Call[]) => Promise<void>,
  config: Record<string, unknown> = {},
): Promise<void> {
  const defaults: EmulatorOptions = {
    tables: () => [PEOPLE],
    run: async () => ({ fields: FIELDS, rows: people(10) }),
  };
  await withBigquery({ ...defaults, ...options }, async ({ target, calls }) => {
    const connector = await bigquery.connect({
      ...target,
      config: { ...target.config, ...config },
    });
    try {
      await use(connector, calls);
    } finally {
      await connector.close();
    }
  });
}

async function rowsOf(
  connector: Connector,
  query: CompiledQuery = QUERY,
  options: { timeoutMs?: number; batchRows?: number; signal?: AbortSignal } = {},
): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const batch of connector.run(query, { timeoutMs: 5_000, ...options })) {
    rows.push(...batch.map((cells) => cells.map((cell) => JSON.parse(cell))));
  }
  return rows;
}

const failure = (work: Promise<unknown>): Promise<VkitError> =>
  work.then(
    () => Promise.reject(new Error('It did not fail.')),
    (error: VkitError) => error,
  );

const jobOf = (calls: readonly Call[]) =>
  calls.find(({ method, path }) => method === 'POST' && path === '/jobs')?.body as {
    jobReference: Record<string, string>;
    configuration: {
      jobTimeoutMs: string;
      labels: object;
      query: Record<string, unknown>;
    };
  };
const routes = (calls: readonly Call[]) =>
  calls.map(({ method, path }) => `${method} ${path.replace(/vkit_[0-9a-f-]+/, 'JOB')}`);

describe('a query on BigQuery', () => {
  it('is one job with its bounds, its label and its values as named parameters', () =>
    emulated(
      {},
      async (connector, calls) => {
        const params = ['a', '9007199254740993', 1.5, 7, true, new Uint8Array([0, 255])];
        expect(await rowsOf(connector, { ...QUERY, params }, { timeoutMs: 4_000 })).toHaveLength(
          10,
        );
        const { jobReference, configuration } = jobOf(calls);
        const { query, labels, jobTimeoutMs } = configuration;
        expect(jobReference).toMatchObject({ projectId: PROJECT, location: 'EU' });
        expect(jobReference.jobId).toMatch(/^vkit_[0-9a-f-]{36}$/);
        expect(labels).toEqual({ vkit: 'query' });
        expect(Number(jobTimeoutMs)).toBeGreaterThan(3_000);
        expect(Number(jobTimeoutMs)).toBeLessThanOrEqual(4_000);
        expect(query).toMatchObject({
          query: QUERY.sql,
          useLegacySql: false,
          maximumBytesBilled: '10000000000',
          parameterMode: 'named',
        });
        const parameter = (name: string, type: string, value: unknown) => ({
          name,
          parameterType: { type },
          parameterValue: { value },
        });
        expect(query.queryParameters).toEqual([
          parameter('p1', 'STRING', 'a'),
          parameter('p2', 'STRING', '9007199254740993'),
          parameter('p3', 'FLOAT64', 1.5),
          parameter('p4', 'FLOAT64', 7),
          parameter('p5', 'BOOL', true),
          parameter('p6', 'BYTES', 'AP8='),
        ]);
      },
      { maximum_bytes_billed: 10_000_000_000 },
    ));

  it('checks its tables before it starts, and again before its first row', () =>
    emulated({}, async (connector, calls) => {
      await rowsOf(connector);
      expect(routes(calls)).toEqual([
        'GET /datasets/sales/tables/people',
        'GET /datasets/sales',
        'POST /jobs',
        'GET /queries/JOB',
        'GET /datasets/sales/tables/people',
        'GET /queries/JOB',
      ]);
    }));

  it('is not started on a table that changed, nor read on one that changed meanwhile', async () => {
    const retyped = { ...PEOPLE, schema: { fields: [FIELDS[0], { ...FIELDS[1], type: 'BYTES' }] } };
    await emulated({ tables: () => [retyped as TableResource] }, async (connector, calls) => {
      const error = await failure(rowsOf(connector));
      expect([error.code, String(error.cause)]).toEqual([
        'schema_changed',
        'Error: Column "email" was text and is bytes.',
      ]);
      expect(routes(calls)).not.toContain('POST /jobs');
    });
    let live = PEOPLE;
    const run = async () => {
      live = retyped as TableResource;
      return { fields: FIELDS, rows: people(1) };
    };
    await emulated({ tables: () => [live], run }, async (connector, calls) => {
      expect((await failure(rowsOf(connector))).code).toBe('schema_changed');
      // The one look at the job is for its end and has no rows.
      const reads = calls.filter(({ path }) => path.startsWith('/queries/'));
      expect(reads.map(({ query }) => query.maxResults)).toEqual(['0']);
    });
    await emulated({ tables: () => [] }, async (connector) => {
      expect((await failure(rowsOf(connector))).code).toBe('schema_changed');
    });
  });

  it('reads one batch ahead and no more, also of pages shorter than that', () =>
    emulated({ pageRowsMax: 3 }, async (connector, calls) => {
      const pages = () => calls.filter(({ query }) => query.maxResults !== undefined).length;
      const batches = connector
        .run(QUERY, { timeoutMs: 5_000, batchRows: 4 })
        [Symbol.asyncIterator]();
      expect((await batches.next()).value).toHaveLength(4);
      // The question whether the job is done, then two pages for each of two batches; the last is not asked for yet.
      await vi.waitFor(() => expect(pages()).toBe(5));
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(pages()).toBe(5);
      expect((await batches.next()).value).toHaveLength(4);
      expect((await batches.next()).value).toEqual([
        ['9', '"p9"'],
        ['10', '"p10"'],
      ]);
      expect((await batches.next()).done).toBe(true);
    }));

  it('waits for a job that takes longer than one call', async () => {
    let polls = 0;
    const before = ({ path }: Call) => {
      if (!path.startsWith('/queries/')) return undefined;
      polls += 1;
      return polls < 4 ? { body: { jobComplete: false } } : undefined;
    };
    await emulated({ before }, async (connector) => {
      expect(await rowsOf(connector)).toHaveLength(10);
      expect(polls).toBe(5);
    });
  });

  it('is never anything but one SELECT', () =>
    emulated({}, async (connector, calls) => {
      for (const sql of [
        'DELETE FROM `acme-prod`.`sales`.`people` WHERE TRUE',
        'SELECT 1; DROP TABLE `acme-prod`.`sales`.`people`',
        'SELECT 1 -- `',
        'SELECT "a"',
        "SELECT 'a\\\\'; DROP TABLE x; SELECT '",
      ]) {
        expect((await failure(rowsOf(connector, { ...QUERY, sql }))).code).toBe('internal');
      }
      expect(
        await rowsOf(connector, { ...QUERY, sql: "SELECT '; -- \\'' AS `a;\\``" }),
      ).toHaveLength(10);
      expect(routes(calls).filter((route) => route === 'POST /jobs')).toHaveLength(1);
    }));
});

describe('values of BigQuery', () => {
  const field = (type: string, more: Partial<FieldSchema> = {}) => ({ name: 'x', type, ...more });
  const struct = field('RECORD', {
    fields: [
      { name: 'a"b', type: 'INTEGER' },
      { name: 't', type: 'TIMESTAMP', mode: 'REPEATED' },
    ],
  });
  const cases: [field: FieldSchema, type: string, value: WireValue, json: string][] = [
    [field('INTEGER'), 'bigint', '9007199254740991', '9007199254740991'],
    [field('INTEGER'), 'bigint', '-9223372036854775808', '"-9223372036854775808"'],
    [field('NUMERIC'), 'numeric', '12.5', '12.5'],
    [
      field('BIGNUMERIC'),
      'numeric',
      '0.12345678901234567890123456789012345678',
      '"0.12345678901234567890123456789012345678"',
    ],
    [
      field('STRING'),
      'numeric',
      '0.33333333333333333333333333333333333333=1/3',
      '"0.33333333333333333333"',
    ],
    [field('FLOAT'), 'double', '0.1', '0.1'],
    [field('FLOAT'), 'double', '1.0E25', '1e+25'],
    [field('FLOAT'), 'double', 'NaN', '"NaN"'],
    [field('FLOAT'), 'double', '-Infinity', '"-Infinity"'],
    [field('BOOLEAN'), 'boolean', 'true', 'true'],
    [field('STRING'), 'text', 'naïve 🦆 "x"\n', '"naïve 🦆 \\"x\\"\\n"'],
    [field('STRING'), 'text', null, 'null'],
    [field('BYTES'), 'bytes', 'AP8Q', '"AP8Q"'],
    [field('DATE'), 'date', '1815-12-10', '"1815-12-10"'],
    [field('TIME'), 'time', '07:30:00.500000', '"07:30:00.5"'],
    [field('TIME'), 'time', '07:30:00', '"07:30:00"'],
    [field('DATETIME'), 'timestamp', '2026-03-01T10:00:00.123000', '"2026-03-01T10:00:00.123Z"'],
    [field('TIMESTAMP'), 'timestamptz', '1772359200500000', '"2026-03-01T10:00:00.5Z"'],
    [field('TIMESTAMP'), 'timestamptz', '-1', '"1969-12-31T23:59:59.999999Z"'],
    [field('TIMESTAMP'), 'timestamptz', '-62135596800000000', '"0001-01-01T00:00:00Z"'],
    [field('TIMESTAMP'), 'timestamptz', '253402300799999999', '"9999-12-31T23:59:59.999999Z"'],
    [field('JSON'), 'json', '{"a" : [1.50]}', '{"a":[1.50]}'],
    [field('GEOGRAPHY'), 'geometry', 'POINT(1 2)', '"POINT(1 2)"'],
    [
      field('INTEGER', { mode: 'REPEATED' }),
      'bigint[]',
      [{ v: '1' }, { v: '9007199254740993' }],
      '[1,"9007199254740993"]',
    ],
    [field('INTEGER', { mode: 'REPEATED' }), 'bigint[]', [], '[]'],
    [struct, 'other', row('7', [{ v: '0' }]), '{"a\\"b":7,"t":["1970-01-01T00:00:00Z"]}'],
    [{ ...struct, mode: 'REPEATED' }, 'other[]', [{ v: row(null, []) }], '[{"a\\"b":null,"t":[]}]'],
  ];
  it('are written without loss', () =>
    emulated(
      {
        run: async () => ({
          fields: cases.map(([one], at) => ({ ...one, name: `c${at}` })),
          rows: [row(...cases.map(([, , value]) => value))],
        }),
      },
      async (connector, calls) => {
        const columns = cases.map(([, type], at) => ({ name: `c${at}`, type }));
        const batches = connector.run({ ...QUERY, columns }, { timeoutMs: 5_000 });
        for await (const [cells] of batches)
          expect(cells).toEqual(cases.map(([, , , json]) => json));
        const reads = calls.filter(({ path }) => path.startsWith('/queries/'));
        expect(
          reads.every(({ query }) => query['formatOptions.useInt64Timestamp'] === 'true'),
        ).toBe(true);
      },
    ));
});

describe('a query that ends early', () => {
  /** A job that runs until it is cancelled. */
  const endless: EmulatorOptions['run'] = (_sql, _parameters, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new JobFailure('stopped', 'stopped')));
    });
  const cancelled = (calls: readonly Call[]) =>
    calls.filter(({ path }) => /^\/jobs\/vkit_[0-9a-f-]+\/cancel$/.test(path));

  it('is cancelled in BigQuery when it takes too long', () =>
    emulated({ run: endless }, async (connector, calls) => {
      const startedAt = performance.now();
      const error = await failure(rowsOf(connector, QUERY, { timeoutMs: 200 }));
      expect(error.code).toBe('query_timeout');
      expect(performance.now() - startedAt).toBeLessThan(3_000);
      expect(cancelled(calls).map(({ query }) => query.location)).toEqual(['EU']);
    }));

  it('is cancelled in BigQuery when its signal aborts', () =>
    emulated({ run: endless }, async (connector, calls) => {
      const controller = new AbortController();
      const run = failure(rowsOf(connector, QUERY, { signal: controller.signal }));
      setTimeout(() => controller.abort(), 150);
      expect((await run).code).toBe('interrupted');
      expect(cancelled(calls)).toHaveLength(1);
    }));

  it('asks for no further page when its reader stops', () =>
    emulated({}, async (connector, calls) => {
      for await (const batch of connector.run(QUERY, { timeoutMs: 5_000, batchRows: 2 })) {
        expect(batch).toHaveLength(2);
        break;
      }
      const reads = calls.filter(({ path }) => path.startsWith('/queries/'));
      expect(reads).toHaveLength(2);
      // BigQuery was done with the job before the first row was read.
      expect(cancelled(calls)).toEqual([]);
    }));

  it('is given up where BigQuery does not answer at all', () =>
    emulated(
      { before: ({ path }) => (path.startsWith('/jobs') ? 'silence' : undefined) },
      async (connector) => {
        const error = await failure(rowsOf(connector, QUERY, { timeoutMs: 100 }));
        expect(error.code).toBe('query_timeout');
      },
    ));

  it('is a timeout where BigQuery ends it by its own limit', () =>
    emulated(
      {
        run: async () => {
          await new Promise((resolve) => setTimeout(resolve, 250));
          throw new JobFailure('stopped', 'Job timed out after 0.25s');
        },
      },
      async (connector) => {
        const error = await failure(rowsOf(connector, QUERY, { timeoutMs: 250 }));
        expect(error.code).toBe('query_timeout');
      },
    ));
});

describe('an error of BigQuery', () => {
  const texts = (error: VkitError) =>
    `${error.message} ${error.hint} ${JSON.stringify(error.details)}`;

  it('is for the operator alone: it may quote a value', () =>
    emulated(
      {
        run: async () => {
          throw new JobFailure('invalidQuery', 'Bad int64 value: secret-value');
        },
      },
      async (connector) => {
        const error = await failure(rowsOf(connector));
        expect(error.code).toBe('datasource_error');
        expect(texts(error)).not.toContain('secret-value');
        expect(String(error.cause)).toContain('secret-value');
      },
    ));

  it('says which bound a query would break', () =>
    emulated(
      {
        run: async () => {
          throw new JobFailure('bytesBilledLimitExceeded', 'Query exceeded limit: 123 secret');
        },
      },
      async (connector) => {
        const error = await failure(rowsOf(connector));
        expect(error.code).toBe('datasource_error');
        expect(error.message).toBe(
          'The query would read more than the datasource "warehouse" allows.',
        );
        expect(`${texts(error)} ${error.cause}`).not.toContain('secret');
      },
    ));

  const refusals = {
    'an unknown login': apiError(401, 'authError', 'Invalid Credentials'),
    'a login without rights': apiError(403, 'accessDenied', 'Access Denied: Dataset'),
    'an unknown dataset': apiError(404, 'notFound', 'Not found: Dataset'),
  };
  it.each(Object.entries(refusals))('is a datasource out of reach for %s', (_, answer) =>
    emulated({ before: () => answer }, async (connector) => {
      expect((await failure(connector.test())).code).toBe('datasource_unreachable');
      expect((await failure(connector.introspect())).code).toBe('datasource_unreachable');
    }),
  );

  it('is a datasource out of reach where nothing listens', async () => {
    const config = { project: PROJECT, dataset: DATASET, api_endpoint: 'http://127.0.0.1:1' };
    const connector = await bigquery.connect({ id: 'w', config, credentials: {} });
    expect((await failure(connector.test())).code).toBe('datasource_unreachable');
    await connector.close();
  });
});

describe('an attempt to start a job', () => {
  it('that was answered by an error of the moment is made again under the same name', async () => {
    let attempts = 0;
    const before = ({ method, path }: Call) => {
      if (method !== 'POST' || path !== '/jobs') return undefined;
      attempts += 1;
      return attempts === 1 ? apiError(503, 'backendError', 'Try again') : undefined;
    };
    await emulated({ before }, async (connector, calls) => {
      expect(await rowsOf(connector)).toHaveLength(10);
      const ids = calls
        .filter(({ path }) => path === '/jobs')
        .map(({ body }) => (body as { jobReference: { jobId: string } }).jobReference.jobId);
      expect([ids.length, new Set(ids).size]).toEqual([2, 1]);
    });
  });
});
