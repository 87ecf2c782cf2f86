import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BoundValue } from '../../../src/aql/expression.js';
import type { Connector } from '../../../src/engines/contract.js';
import { ENGINES } from '../../../src/engines/index.js';
import { snowflakeDialect as dialect } from '../../../src/engines/snowflake/dialect.js';
import type { FieldKind } from '../../../src/schema/field-type.js';

/**
 * On an account of yours: VKIT_LIVE_SNOWFLAKE_URL=snowflake://user:password@account/database/schema?warehouse=…, or with
 * private_key_file and the like. Reads constants and the catalog; makes nothing.
 */
const url = process.env.VKIT_LIVE_SNOWFLAKE_URL;
const title = url === undefined ? 'skipped: VKIT_LIVE_SNOWFLAKE_URL is not set' : 'live';

const TIMEOUT_MS = 60_000;

describe.skipIf(url === undefined)(`Snowflake itself (${title})`, () => {
  let connector: Connector;
  beforeAll(async () => {
    const { config, credentials } = ENGINES.snowflake.parseUrl(url ?? '');
    connector = await ENGINES.snowflake.connect({ id: 'live', config, credentials });
  });
  afterAll(() => connector?.close());

  async function one(
    sql: string,
    type: string,
    params: readonly BoundValue[] = [],
  ): Promise<unknown> {
    const compiled = { sql: `SELECT ${sql}`, params, columns: [{ name: 'c1', type }], tables: [] };
    const rows: (readonly string[])[] = [];
    for await (const batch of connector.run(compiled, { timeoutMs: TIMEOUT_MS }))
      rows.push(...batch);
    return JSON.parse(rows[0]?.[0] ?? 'null');
  }

  it('answers, and its catalog can be read', async () => {
    expect((await connector.test()).server).toMatch(/^snowflake \d/);
    expect(await connector.introspect({ timeoutMs: TIMEOUT_MS })).toHaveProperty('tables');
  });

  const text = (value: string) => dialect.textLiteral(value);
  const EXPRESSIONS: [sql: string, type: string, expected: unknown][] = [
    [
      dialect.call('sha256_hex', [text('a')]),
      'text',
      'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb',
    ],
    [dialect.call('char_length', [text('naïve🦆')]), 'bigint', 6],
    [dialect.call('left', [text('🦆ab'), '2']), 'text', '🦆a'],
    [dialect.call('right', [text('ab🦆'), '2']), 'text', 'b🦆'],
    [dialect.call('concat', [text("it's \\ "), text('x')]), 'text', "it's \\ x"],
    [dialect.call('decimal_text', ['CAST(12.50 AS NUMBER(12, 4))']), 'text', '12.5'],
    [dialect.call('decimal_text', ['CAST(0.5 AS NUMBER(12, 4))']), 'text', '0.5'],
    [dialect.call('decimal_text', ['CAST(-100 AS NUMBER(12, 4))']), 'text', '-100'],
    [dialect.call('decimal_text', ['CAST(0 AS NUMBER(12, 4))']), 'text', '0'],
    [dialect.compare('eq', 'text', `COLLATE(${text('A')}, 'en-ci')`, text('a')), 'boolean', false],
    [dialect.compare('lt', 'text', text('Z'), text('a')), 'boolean', true],
    [dialect.compare('lt', 'text', text('a'), text('ä')), 'boolean', true],
    [dialect.like(text('a_b'), text('a\\_b'), false), 'boolean', true],
    [dialect.like(text('axb'), text('a\\_b'), false), 'boolean', false],
    [
      "CAST('12345678901234567890123456789012345678' AS NUMBER(38, 0))",
      'bigint',
      '12345678901234567890123456789012345678',
    ],
    ["TO_TIMESTAMP_TZ('2026-03-01T12:00:00.5+02:00')", 'timestamptz', '2026-03-01T10:00:00.5Z'],
    ["TO_DATE('0001-01-01')", 'date', '0001-01-01'],
    ["TO_BINARY('0001FF', 'HEX')", 'bytes', 'AAH/'],
    ['PARSE_JSON(\'{"a": [1, null]}\')', 'json', { a: [1, null] }],
  ];
  it.each(EXPRESSIONS)('gives for %s as %s %j', async (sql, type, expected) => {
    expect(await one(sql, type)).toEqual(expected);
  });

  const VALUES: [kind: FieldKind, value: BoundValue, type: string, expected: unknown][] = [
    ['boolean', true, 'boolean', true],
    ['integer', '9007199254740993', 'bigint', '9007199254740993'],
    ['numeric', '-0.0625', 'numeric', -0.0625],
    ['float', 1e300, 'double', 1e300],
    ['text', "a'b\\c", 'text', "a'b\\c"],
    ['date', '2024-02-29', 'date', '2024-02-29'],
    ['time', '07:30:00.25', 'time', '07:30:00.25'],
    ['timestamp', '2026-03-01T10:00:00.5', 'timestamp', '2026-03-01T10:00:00.5Z'],
    ['timestamptz', '2026-03-01T10:00:00Z', 'timestamptz', '2026-03-01T10:00:00Z'],
    ['bytes', new Uint8Array([0, 1, 255]), 'bytes', 'AAH/'],
  ];
  it.each(VALUES)('takes a %s', async (kind, value, type, expected) => {
    expect(
      await one(dialect.placeholder(1, kind, value), type, [dialect.bind(value, kind)]),
    ).toEqual(expected);
  });

  it.each([
    ['sum', 'numeric', 'NUMBER(4, 2)', 4.75],
    ['avg', 'numeric', 'NUMBER(4, 2)', '1.5833333333333333'],
    ['sum', 'float', 'FLOAT', 4.75],
    ['count_distinct', 'numeric', 'NUMBER(4, 2)', 2],
  ] as const)('has the %s of %s', async (fn, kind, type, expected) => {
    const values = `(SELECT CAST(COLUMN1 AS ${type}) AS X FROM VALUES (1.50), (1.75), (1.50), (NULL))`;
    const sql = `${dialect.aggregate(fn, 'X', kind, true)} FROM ${values}`;
    expect(await one(sql, kind === 'float' ? 'double' : 'numeric')).toEqual(expected);
  });
});
