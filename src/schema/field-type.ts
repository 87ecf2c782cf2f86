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
