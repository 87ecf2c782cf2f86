/** Declared names, in lower case and without their sizes, and what they mean by custom. */
const DECLARED: Readonly<Record<string, string>> = {
  boolean: 'boolean',
  bool: 'boolean',
  tinyint: 'smallint',
  smallint: 'smallint',
  int2: 'smallint',
  int: 'integer',
  integer: 'integer',
  mediumint: 'integer',
  int4: 'integer',
  bigint: 'bigint',
  int8: 'bigint',
  'unsigned big int': 'bigint',
  numeric: 'numeric',
  decimal: 'numeric',
  number: 'numeric',
  real: 'real',
  float: 'double',
  double: 'double',
  'double precision': 'double',
  text: 'text',
  clob: 'text',
  varchar: 'varchar',
  nvarchar: 'varchar',
  varchar2: 'varchar',
  'character varying': 'varchar',
  'varying character': 'varchar',
  char: 'char',
  nchar: 'char',
  character: 'char',
  'native character': 'char',
  uuid: 'uuid',
  date: 'date',
  time: 'time',
  datetime: 'timestamp',
  timestamp: 'timestamp',
  'timestamp without time zone': 'timestamp',
  timestamptz: 'timestamptz',
  'timestamp with time zone': 'timestamptz',
  datetimeoffset: 'timestamptz',
  json: 'json',
  jsonb: 'jsonb',
  xml: 'xml',
  blob: 'bytes',
  binary: 'bytes',
  varbinary: 'bytes',
  bytea: 'bytes',
};

/** SQLite's rules of column affinity for names it does not know, in its order; numbers aside. */
const AFFINITIES: readonly [pattern: RegExp, type: string][] = [
  [/int/, 'integer'],
  [/char|clob|text/, 'text'],
  [/blob/, 'bytes'],
  [/real|floa|doub/, 'double'],
];

/** The normalised type (`FIELD_TYPES`) of a column's declared type; `other` where it has none. */
export function normaliseSqliteType(declared: string): string {
  const name = declared
    .toLowerCase()
    .replace(/\([^)]*\)/g, ' ')
    .trim()
    .replace(/\s+/g, ' ');
  if (Object.hasOwn(DECLARED, name)) return DECLARED[name] ?? 'other';
  return AFFINITIES.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';
}
