import type { FieldSchema } from './api.js';

/** By both of the names that the API has for a type. */
const TYPES: Readonly<Record<string, string>> = {
  STRING: 'text',
  BYTES: 'bytes',
  INTEGER: 'bigint',
  INT64: 'bigint',
  FLOAT: 'double',
  FLOAT64: 'double',
  NUMERIC: 'numeric',
  BIGNUMERIC: 'numeric',
  BOOLEAN: 'boolean',
  BOOL: 'boolean',
  TIMESTAMP: 'timestamptz',
  DATE: 'date',
  TIME: 'time',
  DATETIME: 'timestamp',
  INTERVAL: 'interval',
  GEOGRAPHY: 'geometry',
  JSON: 'json',
};

/** The normalised type (`FIELD_TYPES`, an array's with `[]`) of a column; a STRUCT is one field of type `other`. */
export function normaliseBigqueryType({ type, mode }: Pick<FieldSchema, 'type' | 'mode'>): string {
  const element = Object.hasOwn(TYPES, type) ? (TYPES[type] ?? 'other') : 'other';
  return mode === 'REPEATED' ? `${element}[]` : element;
}

/** The type as people know it: `STRING(20)`, `ARRAY<STRUCT>`. */
export function nativeType({ type, mode, maxLength, precision, scale }: FieldSchema): string {
  const name = type === 'RECORD' ? 'STRUCT' : type;
  const sizes = [maxLength ?? precision, scale].filter((size) => size !== undefined);
  const full = sizes.length === 0 ? name : `${name}(${sizes.join(', ')})`;
  return mode === 'REPEATED' ? `ARRAY<${full}>` : full;
}
