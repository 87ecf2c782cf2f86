import type { FieldKind } from '../../../src/schema/field-type.js';

const COMPARED: readonly FieldKind[] = [
  'boolean',
  'integer',
  'numeric',
  'float',
  'text',
  'uuid',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'bytes',
];
const UNORDERED: readonly FieldKind[] = ['boolean', 'uuid', 'bytes'];
const NUMBERS: readonly FieldKind[] = ['integer', 'numeric', 'float'];

/** Whether values of the kind are equal or not: what filters, joins, groups and orders need. */
export function isCompared(kind: FieldKind): boolean {
  return COMPARED.includes(kind);
}

export function isRanged(kind: FieldKind): boolean {
  return isCompared(kind) && !UNORDERED.includes(kind);
}

export function takesOperator(kind: FieldKind, operator: string): boolean {
  if (operator === 'is_null' || operator === 'is_not_null') return true;
  if (operator === 'like' || operator === 'not_like') return kind === 'text';
  if (['eq', 'neq', 'in', 'not_in'].includes(operator)) return isCompared(kind);
  return isRanged(kind);
}

export function takesAggregate(kind: FieldKind, func: string): boolean {
  if (func === 'count') return true;
  if (func === 'count_distinct') return isCompared(kind);
  return func === 'sum' || func === 'avg' ? NUMBERS.includes(kind) : isRanged(kind);
}

/** Two fields join if they have one kind, or are exact numbers both. */
export function joins(left: FieldKind, right: FieldKind): boolean {
  const isExact = (kind: FieldKind) => kind === 'integer' || kind === 'numeric';
  return (left === right && isCompared(left)) || (isExact(left) && isExact(right));
}
