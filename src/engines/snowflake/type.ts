/** A column's type as INFORMATION_SCHEMA has it; lengths and digits as text. */
export interface CatalogType {
  /** `DATA_TYPE`: `NUMBER`, `TEXT`, without size. */
  name: string;
  length: string | null;
  precision: string | null;
  scale: string | null;
  collation: string | null;
}

/** Digits of integers that fit into two and into four bytes. */
const SMALLINT_DIGITS = 4;
const INTEGER_DIGITS = 9;
/** What VARCHAR without a length has had over the years: no limit that anybody chose. */
const UNLIMITED: readonly (string | null)[] = [null, '16777216', '134217728'];

const TYPES: Readonly<Record<string, string>> = {
  FLOAT: 'double',
  BOOLEAN: 'boolean',
  DATE: 'date',
  TIME: 'time',
  TIMESTAMP_NTZ: 'timestamp',
  TIMESTAMP_LTZ: 'timestamptz',
  TIMESTAMP_TZ: 'timestamptz',
  BINARY: 'bytes',
  VARIANT: 'json',
  OBJECT: 'json',
  ARRAY: 'json',
  GEOGRAPHY: 'geometry',
  GEOMETRY: 'geometry',
};

/** The normalised type (`FIELD_TYPES`) of a Snowflake type. */
export function normaliseSnowflakeType({ name, length, precision, scale }: CatalogType): string {
  if (name === 'TEXT') return UNLIMITED.includes(length) ? 'text' : 'varchar';
  if (name !== 'NUMBER') return Object.hasOwn(TYPES, name) ? (TYPES[name] ?? 'other') : 'other';
  if (scale !== '0') return 'numeric';
  const digits = Number(precision);
  if (digits <= SMALLINT_DIGITS) return 'smallint';
  return digits <= INTEGER_DIGITS ? 'integer' : 'bigint';
}

/** The type as Snowflake declares it, for people: `NUMBER(12,2)`. */
export function nativeSnowflakeType(type: CatalogType): string {
  const { name, length, precision, scale, collation } = type;
  const size = name === 'NUMBER' ? `(${precision},${scale})` : sizeOf(name, length);
  return `${name}${size}${collation ? ` COLLATE '${collation}'` : ''}`;
}

function sizeOf(name: string, length: string | null): string {
  return name === 'TEXT' && !UNLIMITED.includes(length) ? `(${length})` : '';
}
