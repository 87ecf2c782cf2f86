/**
 * The normalised column types of the registry: one vocabulary for all engines, so that neither an upgrade of vkit nor
 * one of the database server is drift. Arrays are an element type followed by `[]`.
 */
export const FIELD_TYPES = {
  boolean: 'boolean',
  smallint: 'integer',
  integer: 'integer',
  bigint: 'integer',
  numeric: 'numeric',
  money: 'other',
  real: 'float',
  double: 'float',
  text: 'text',
  varchar: 'text',
  char: 'text',
  enum: 'text',
  uuid: 'uuid',
  date: 'date',
  time: 'time',
  timetz: 'other',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  interval: 'other',
  json: 'json',
  jsonb: 'json',
  xml: 'other',
  bytes: 'bytes',
  inet: 'other',
  cidr: 'other',
  macaddr: 'other',
  bit: 'other',
  geometry: 'other',
  other: 'other',
} as const satisfies Record<string, FieldKind>;

/** Names under which databases and older files know the same types. */
const TYPE_ALIASES: Readonly<Record<string, string>> = {
  bool: 'boolean',
  int2: 'smallint',
  int: 'integer',
  int4: 'integer',
  int8: 'bigint',
  decimal: 'numeric',
  float4: 'real',
  float8: 'double',
  'double precision': 'double',
  string: 'text',
  'character varying': 'varchar',
  character: 'char',
  bpchar: 'char',
  'time without time zone': 'time',
  'time with time zone': 'timetz',
  'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamptz',
  bytea: 'bytes',
  macaddr8: 'macaddr',
  'bit varying': 'bit',
  varbit: 'bit',
};

/**
 * A type's name in the vocabulary of `FIELD_TYPES`, whatever a database or an older file calls it: `character varying(20)[]`
 * is `varchar[]`. What is not known stays as it is.
 */
export function canonicalType(written: string): string {
  const type = written.toLowerCase().replace(/ *\([\d, ]*\)/, '');
  const element = type.replace(/(?:\[\])+$/, '');
  const name = Object.hasOwn(TYPE_ALIASES, element) ? TYPE_ALIASES[element] : element;
  if (name === undefined || !Object.hasOwn(FIELD_TYPES, name)) return written;
  return element === type ? name : `${name}[]`;
}

/** What a type can do in a query: how it is compared, bound, masked and written. */
export type FieldKind =
  | 'boolean'
  | 'integer'
  | 'numeric'
  | 'float'
  | 'text'
  | 'uuid'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'json'
  | 'bytes'
  | 'array'
  | 'other';

/** The kind of a normalised type; anything unknown is `other`, which supports reading and null tests alone. */
export function kindOfType(type: string): FieldKind {
  if (type.endsWith('[]')) return 'array';
  return Object.hasOwn(FIELD_TYPES, type) ? FIELD_TYPES[type as keyof typeof FIELD_TYPES] : 'other';
}
