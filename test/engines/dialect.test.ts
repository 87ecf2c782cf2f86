import { describe, expect, it } from 'vitest';
import { bigqueryDialect } from '../../src/engines/bigquery/dialect.js';
import { mysqlDialect } from '../../src/engines/mysql/dialect.js';
import { postgresDialect } from '../../src/engines/postgres/dialect.js';
import { snowflakeDialect } from '../../src/engines/snowflake/dialect.js';
import { sqliteDialect } from '../../src/engines/sqlite/dialect.js';
import { FIELD_TYPES } from '../../src/schema/field-type.js';

describe.each([
  { quote: '"', dialect: postgresDialect },
  { quote: '"', dialect: sqliteDialect },
  { quote: '`', dialect: mysqlDialect },
  { quote: '"', dialect: snowflakeDialect },
])('the dialect of $dialect.name', ({ quote: q, dialect }) => {
  it('quotes identifiers, whatever is in them', () => {
    expect(dialect.quoteIdentifier('plain')).toBe(`${q}plain${q}`);
    const odd = `a${q}; DROP TABLE x; --`;
    expect(dialect.quoteIdentifier(odd)).toBe(`${q}a${q}${q}; DROP TABLE x; --${q}`);
    expect(dialect.quoteIdentifier(q + q)).toBe(q.repeat(6));
  });

  it('refuses an identifier with a NUL', () => {
    expect(() => dialect.quoteIdentifier('a\0b')).toThrow(
      expect.objectContaining({ code: 'unsupported' }),
    );
    expect(() => dialect.table({ schema: '', name: '\0' })).toThrow();
  });

  it('names tables in full, also of an engine without schemas', () => {
    expect(dialect.table({ schema: 's', name: 't' })).toBe(`${q}s${q}.${q}t${q}`);
    expect(dialect.table({ schema: '', name: 't' })).toMatch(/^("(public|main|PUBLIC)"\."t"|`t`)$/);
  });

  it('doubles quotes in its own literals', () => {
    expect(dialect.textLiteral("it's")).toContain("'it''s'");
  });

  it('has a NULL of every type', () => {
    for (const type of Object.keys(FIELD_TYPES)) expect(dialect.nullOf(type)).toContain('NULL');
    expect(dialect.nullOf('constructor')).toContain('NULL');
  });

  it('writes a limit without an offset of 0', () => {
    expect(dialect.limit(5, 0)).toBe('LIMIT 5');
    expect(dialect.limit(0, 7)).toBe('LIMIT 0 OFFSET 7');
  });
});

describe('a NULL of PostgreSQL', () => {
  it.each([
    ['integer', 'CAST(NULL AS pg_catalog.int4)'],
    ['varchar[]', 'CAST(NULL AS pg_catalog.varchar[])'],
    ['enum', 'CAST(NULL AS pg_catalog.text)'],
    ['constructor', 'CAST(NULL AS pg_catalog.text)'],
  ])('of the type %s is %s', (type, expected) => {
    expect(postgresDialect.nullOf(type)).toBe(expected);
  });
});

describe('Snowflake', () => {
  it('is given every value but booleans as text, in the form that its placeholder names', () => {
    const { bind } = snowflakeDialect;
    expect(bind(1e300, 'float')).toBe('1e+300');
    expect(bind(true, 'boolean')).toBe(true);
    expect(bind('07:30:00', 'time')).toBe('07:30:00.000000000');
    expect(bind('2026-03-01T10:00:00.5', 'timestamp')).toBe('2026-03-01T10:00:00.500000000');
    expect(bind('2026-03-01T10:00:00Z', 'timestamptz')).toBe('2026-03-01T10:00:00.000000000+00:00');
    expect(bind(new Uint8Array([0, 255]), 'bytes')).toBe('00ff');
    expect(bind('T.Z', 'text')).toBe('T.Z');
  });

  it('reads a decimal in its own digits, and refuses what it could only round', () => {
    const placeholder = (value: string) => snowflakeDialect.placeholder(1, 'numeric', value);
    expect(placeholder('7.5')).toBe('CAST(? AS NUMBER(2, 1))');
    expect(placeholder('-0.05')).toBe('CAST(? AS NUMBER(2, 2))');
    expect(placeholder('0')).toBe('CAST(? AS NUMBER(1, 0))');
    expect(placeholder('9'.repeat(38))).toBe('CAST(? AS NUMBER(38, 0))');
    for (const value of [
      '9'.repeat(39),
      `${'9'.repeat(20)}.${'9'.repeat(19)}`,
      `0.${'1'.repeat(38)}`,
    ]) {
      expect(() => placeholder(value)).toThrow(expect.objectContaining({ code: 'unsupported' }));
    }
  });

  it('escapes the backslash in its own literals', () => {
    expect(snowflakeDialect.textLiteral("\\'")).toBe("'\\\\'''");
  });

  it('compares and sorts an average by the quotient of what it is sent as', () => {
    const average = snowflakeDialect.aggregate('avg', 'x', 'numeric', false);
    expect(snowflakeDialect.aggregateOperand(average, 'avg', 'numeric', 'x')).toBe(
      `(CAST(SPLIT_PART(${average}, '/', 1) AS FLOAT) / CAST(SPLIT_PART(${average}, '/', 2) AS FLOAT))`,
    );
  });
});

describe('MySQL', () => {
  it('is given moments without the letters it does not know', () => {
    expect(mysqlDialect.bind('2026-03-01T10:00:00.5Z', 'timestamptz')).toBe(
      '2026-03-01 10:00:00.5',
    );
    expect(mysqlDialect.bind('T Z', 'text')).toBe('T Z');
  });

  it('is not asked for decimals that it would cut', () => {
    const digits = (count: number) => '1'.repeat(count);
    const cast = (value: string) => mysqlDialect.placeholder(1, 'numeric', value);
    expect(cast('1.5')).toBe('CAST(? AS DECIMAL(65,30))');
    expect(cast(`-${digits(35)}.${digits(30)}`)).toBe('CAST(? AS DECIMAL(65,30))');
    expect(cast(`-${digits(36)}.${digits(29)}`)).toBe('CAST(? AS DECIMAL(65,29))');
    expect(cast(digits(65))).toBe('CAST(? AS DECIMAL(65,0))');
    const cut = [digits(66), `0.${digits(31)}`, `${digits(36)}.${digits(30)}`];
    for (const value of cut) {
      expect(() => cast(value)).toThrow(expect.objectContaining({ code: 'unsupported' }));
    }
  });

  it('sorts NULL to where it is wanted only where that is not its own place', () => {
    const order = mysqlDialect.orderBy;
    expect(order('x', 'ASC', 'first', false)).toBe('x ASC');
    expect(order('x', 'DESC', 'last', false)).toBe('x DESC');
    expect(order('x', 'ASC', 'last', false)).toBe('x IS NULL ASC, x ASC');
    expect(order('x', 'DESC', 'first', false)).toBe('x IS NULL DESC, x DESC');
    expect(order('x', 'ASC', 'last', true)).toBe('x ASC');
  });
});

describe('BigQuery', () => {
  const { quoteIdentifier, table, textLiteral, nullOf, orderBy, limit } = bigqueryDialect;

  it('escapes in identifiers and literals what would end them', () => {
    expect(quoteIdentifier('plain')).toBe('`plain`');
    expect(quoteIdentifier('a`; DROP TABLE x; --')).toBe('`a\\`; DROP TABLE x; --`');
    expect(quoteIdentifier('a\\`b')).toBe('`a\\\\\\`b`');
    expect(quoteIdentifier('a\nb')).toBe('`a\\nb`');
    expect(textLiteral("it's \\")).toBe("'it\\'s \\\\'");
    expect(() => quoteIdentifier('a\0b')).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  it('names tables in full, with the project where the registry has it', () => {
    expect(table({ schema: 'acme-prod.sales', name: 'orders' })).toBe(
      '`acme-prod`.`sales`.`orders`',
    );
    expect(table({ schema: 'acme.test:prod.sales', name: 'orders' })).toBe(
      '`acme.test:prod`.`sales`.`orders`',
    );
    expect(table({ schema: 'sales', name: 'orders' })).toBe('`sales`.`orders`');
    expect(table({ schema: '', name: 'orders' })).toBe('`orders`');
  });

  const special: Record<string, [schema: string, name: string]> = {
    'a wildcard': ['acme-prod.sales', 'events_*'],
    'a decorator': ['acme-prod.sales', 'events$20260301'],
    'a snapshot of the past': ['acme-prod.sales', 'events@-3600000'],
    'a path': ['acme-prod.sales', 'secrets.rows'],
    'the catalog': ['acme-prod.sales', 'INFORMATION_SCHEMA'],
    'the catalog of a dataset': ['sales.information_schema', 'TABLES'],
    'a column of a source of the query': ['t1', 'orders'],
  };
  it.each(Object.entries(special))('does not take %s for a table', (_, [schema, name]) => {
    expect(() => table({ schema, name })).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  it('has a NULL of every type', () => {
    for (const type of Object.keys(FIELD_TYPES))
      expect(nullOf(type)).toMatch(/^CAST\(NULL AS \w+\)$/);
    expect(nullOf('constructor')).toBe('CAST(NULL AS STRING)');
    // A NULL array would come back as an empty one.
    expect(nullOf('integer[]')).toBe('CAST(NULL AS STRING)');
  });

  it('is not asked for decimals that it would round', () => {
    const digits = '9'.repeat(38);
    expect(bigqueryDialect.bind(`-${digits}.${digits}`, 'numeric')).toMatch(/^-9/);
    for (const value of [`${digits}1`, `0.${digits}1`]) {
      expect(() => bigqueryDialect.bind(value, 'numeric')).toThrow(
        expect.objectContaining({ code: 'unsupported' }),
      );
    }
  });

  it('says where NULL goes, and writes a limit without an offset of 0', () => {
    expect(orderBy('x', 'DESC', 'first', false)).toBe('x DESC NULLS FIRST');
    expect(limit(5, 0)).toBe('LIMIT 5');
    expect(limit(0, 7)).toBe('LIMIT 0 OFFSET 7');
  });
});
