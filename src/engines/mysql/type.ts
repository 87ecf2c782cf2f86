/** A column's type as information_schema has it. */
export interface CatalogType {
  /** `DATA_TYPE`: `int`, without size or sign. */
  name: string;
  /** `COLUMN_TYPE`: `int(11) unsigned`. */
  full: string;
  /** Whether MariaDB checks that the text is JSON, which is what its type JSON is. */
  isJson: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  tinyint: 'smallint',
  smallint: 'smallint',
  mediumint: 'integer',
  int: 'integer',
  bigint: 'bigint',
  decimal: 'numeric',
  float: 'real',
  double: 'double',
  bit: 'bit',
  char: 'char',
  varchar: 'varchar',
  tinytext: 'text',
  text: 'text',
  mediumtext: 'text',
  longtext: 'text',
  enum: 'enum',
  set: 'text',
  uuid: 'uuid',
  date: 'date',
  time: 'time',
  datetime: 'timestamp',
  timestamp: 'timestamptz',
  year: 'smallint',
  json: 'json',
  binary: 'bytes',
  varbinary: 'bytes',
  tinyblob: 'bytes',
  blob: 'bytes',
  mediumblob: 'bytes',
  longblob: 'bytes',
  inet4: 'inet',
  inet6: 'inet',
  geometry: 'geometry',
  point: 'geometry',
  linestring: 'geometry',
  polygon: 'geometry',
  multipoint: 'geometry',
  multilinestring: 'geometry',
  multipolygon: 'geometry',
  geometrycollection: 'geometry',
  geomcollection: 'geometry',
};

/** What MySQL calls BOOLEAN, and what programs use as one. */
const BOOLEANS: readonly string[] = ['tinyint(1)', 'bit(1)'];

/** The normalised type (`FIELD_TYPES`) of a MySQL or MariaDB type. */
export function normaliseMysqlType({ name, full, isJson }: CatalogType): string {
  if (isJson) return 'json';
  if (BOOLEANS.includes(full.toLowerCase())) return 'boolean';
  const known = name.toLowerCase();
  return Object.hasOwn(TYPES, known) ? (TYPES[known] ?? 'other') : 'other';
}
