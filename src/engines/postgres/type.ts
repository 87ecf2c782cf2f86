/** A type as the catalog has it, a domain already replaced by its base type. */
export interface CatalogType {
  name: string;
  schema: string;
  /** `pg_type.typtype`: `b` base, `e` enum, `c` composite, `r` range and others. */
  kind: string;
  isArray: boolean;
}

const BUILT_IN: Readonly<Record<string, string>> = {
  bool: 'boolean',
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  numeric: 'numeric',
  money: 'money',
  float4: 'real',
  float8: 'double',
  text: 'text',
  name: 'text',
  varchar: 'varchar',
  bpchar: 'char',
  char: 'char',
  uuid: 'uuid',
  date: 'date',
  time: 'time',
  timetz: 'timetz',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  interval: 'interval',
  json: 'json',
  jsonb: 'jsonb',
  xml: 'xml',
  bytea: 'bytes',
  inet: 'inet',
  cidr: 'cidr',
  macaddr: 'macaddr',
  macaddr8: 'macaddr',
  bit: 'bit',
  varbit: 'bit',
  point: 'geometry',
  line: 'geometry',
  lseg: 'geometry',
  box: 'geometry',
  path: 'geometry',
  polygon: 'geometry',
  circle: 'geometry',
};

/** Types of extensions, which live in whatever schema they were installed into. */
const EXTENSION: Readonly<Record<string, string>> = {
  citext: 'text',
  geometry: 'geometry',
  geography: 'geometry',
};

/** The normalised type (`FIELD_TYPES`, an array's with `[]`) of a PostgreSQL type. */
export function normalisePostgresType(type: CatalogType): string {
  return type.isArray ? `${elementType(type)}[]` : elementType(type);
}

function elementType({ name, schema, kind }: CatalogType): string {
  if (kind === 'e') return 'enum';
  if (kind !== 'b') return 'other';
  const names = schema === 'pg_catalog' ? BUILT_IN : EXTENSION;
  return Object.hasOwn(names, name) ? (names[name] ?? 'other') : 'other';
}
