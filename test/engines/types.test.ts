import { describe, expect, it } from 'vitest';
import { normaliseMysqlType } from '../../src/engines/mysql/type.js';
import { decodeArray } from '../../src/engines/postgres/decode-array.js';
import { normalisePostgresType } from '../../src/engines/postgres/type.js';
import { normaliseSqliteType } from '../../src/engines/sqlite/type.js';

describe('the normalised type of a SQLite column', () => {
  const cases: Record<string, string> = {
    INTEGER: 'integer',
    'BIGINT UNSIGNED': 'integer',
    'unsigned big int': 'bigint',
    'VARCHAR(255)': 'varchar',
    'DECIMAL (10, 2)': 'numeric',
    'DOUBLE  PRECISION': 'double',
    DATETIME: 'timestamp',
    'timestamp with time zone': 'timestamptz',
    LONGTEXT: 'text',
    MEDIUMBLOB: 'bytes',
    'FLOAT(24)': 'double',
    STRING: 'other',
    '': 'other',
    constructor: 'other',
  };
  for (const [declared, type] of Object.entries(cases)) {
    it(`is ${type} for "${declared}"`, () => expect(normaliseSqliteType(declared)).toBe(type));
  }
});

describe('the normalised type of a PostgreSQL column', () => {
  const builtIn = { schema: 'pg_catalog', kind: 'b', isArray: false };

  it('trusts a built-in name only in the catalog', () => {
    expect(normalisePostgresType({ ...builtIn, name: 'int4' })).toBe('integer');
    expect(normalisePostgresType({ ...builtIn, name: 'int4', schema: 'public' })).toBe('other');
    expect(normalisePostgresType({ ...builtIn, name: 'citext', schema: 'public' })).toBe('text');
    expect(normalisePostgresType({ ...builtIn, name: 'constructor' })).toBe('other');
  });

  it('tells arrays, enums and composites', () => {
    expect(normalisePostgresType({ ...builtIn, name: 'varchar', isArray: true })).toBe('varchar[]');
    expect(normalisePostgresType({ ...builtIn, name: 'mood', schema: 'a', kind: 'e' })).toBe(
      'enum',
    );
    expect(normalisePostgresType({ ...builtIn, name: 'text', schema: 'a', kind: 'c' })).toBe(
      'other',
    );
  });
});

describe('the normalised type of a MySQL column', () => {
  const cases: Record<string, string> = {
    'int(10) unsigned': 'integer',
    'mediumint(8)': 'integer',
    'tinyint(1)': 'boolean',
    'tinyint(1) unsigned': 'smallint',
    'tinyint(4)': 'smallint',
    'bit(1)': 'boolean',
    'bit(8)': 'bit',
    'decimal(65,30)': 'numeric',
    float: 'real',
    double: 'double',
    'datetime(6)': 'timestamp',
    timestamp: 'timestamptz',
    'year(4)': 'smallint',
    "enum('a','b(1)')": 'enum',
    "set('a')": 'text',
    longtext: 'text',
    json: 'json',
    'binary(16)': 'bytes',
    mediumblob: 'bytes',
    geomcollection: 'geometry',
    inet6: 'inet',
    uuid: 'uuid',
    'vector(3)': 'other',
    constructor: 'other',
  };
  for (const [full, type] of Object.entries(cases)) {
    it(`is ${type} for ${full}`, () => {
      const name = full.replace(/[ (].*$/, '');
      expect(normaliseMysqlType({ name, full, isJson: false })).toBe(type);
    });
  }

  it('is json where MariaDB checks that it is', () => {
    expect(normaliseMysqlType({ name: 'longtext', full: 'longtext', isJson: true })).toBe('json');
  });
});

describe('an array of PostgreSQL', () => {
  it('is read with its quotes, escapes and dimensions', () => {
    expect(decodeArray('{}')).toEqual([]);
    expect(decodeArray('{a,NULL,"NULL","b,\\"c\\\\"}')).toEqual(['a', null, 'NULL', 'b,"c\\']);
    expect(decodeArray('{{1,2},{3,4}}')).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
  });

  it('is left alone where it is something else', () => {
    for (const text of ['', 'a', '{', '{a', '{a,', '{,}', '{"a}', '{a}b', '[0:0]={a}', '{a"b"}']) {
      expect(decodeArray(text), text).toBeUndefined();
    }
    expect(decodeArray(`${'{'.repeat(50_000)}${'}'.repeat(50_000)}`)).toBeUndefined();
  });
});
