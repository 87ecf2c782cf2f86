import type { MaskMethod } from '../../../src/masking/model.js';
import type { FieldKind } from '../../../src/schema/field-type.js';
import { isCompared, joins, takesAggregate, takesOperator } from './abilities.js';
import { endsInEscape } from './like.js';
import type { Sight, TokenSight } from './masks.js';
import type { Ref } from './names.js';
import { readConstant } from './read-constant.js';
import { type Filter, type Operand, type Resolved, sameRef } from './resolve.js';
import type { ConstantLimits, ReferenceWorld } from './schema.js';

/** The type of a field or an aggregate, as it is seen. */
export interface Typed {
  kind: FieldKind;
  type: string;
  masked?: MaskMethod;
  token?: TokenSight;
}

/** How the rows of the answer come about: from rows, from all of them together, or from groups of them. */
export type Grouping = { of: 'rows' } | { of: 'all' } | { of: 'groups'; keys: Ref[] };

export function groupingOf({ aggregates, groupBy, columns }: Resolved): Grouping {
  if (aggregates.length === 0 && groupBy.length === 0) return { of: 'rows' };
  // "When aggregates are present and `group_by` is missing, the selected columns are grouped."
  const keys = groupBy.length > 0 ? groupBy : columns;
  return keys.length === 0 ? { of: 'all' } : { of: 'groups', keys };
}

export function sightOfRef({ sources }: Resolved, { source, index }: Ref): Sight {
  const sight = sources[source]?.sights[index];
  if (sight === undefined) throw new Error('a field that is not there');
  return sight;
}

/** The type of what an aggregate gives. */
export function typeOfAggregate(func: string, of: Sight | null): Typed {
  if (of === null || func === 'count' || func === 'count_distinct') {
    return { kind: 'integer', type: 'bigint' };
  }
  const { kind, type, masked } = of;
  const mask = masked === undefined ? {} : { masked };
  if (func === 'min' || func === 'max') return { kind, type, ...mask };
  return kind === 'float'
    ? { kind: 'float', type: 'double', ...mask }
    : { kind: 'numeric', type: 'numeric', ...mask };
}

/** "A filter takes `eq`, `neq`, `in`, `not_in` with tokens"; NULL is seen anyway. */
export const TOKEN_OPERATORS: readonly string[] = [
  'eq',
  'neq',
  'in',
  'not_in',
  'is_null',
  'is_not_null',
];

/** The codes of what types and masks do not allow. */
export function problemsOf(
  query: Resolved,
  grouping: Grouping,
  { tokens, limits }: ReferenceWorld,
): string[] {
  const problems: string[] = [];
  const unsupported = (seen: { masked?: MaskMethod }) =>
    problems.push(seen.masked === undefined ? 'unsupported_on_type' : 'unsupported_on_masked');
  const sight = (ref: Ref) => sightOfRef(query, ref);

  const operandType = (operand: Operand): Typed | undefined => {
    if ('ref' in operand) return sight(operand.ref);
    const of = operand.of === null ? null : sight(operand.of);
    // "Sums, min and max of tokens are refused."
    const isCounted = of?.token === undefined || operand.func.startsWith('count');
    if (of === null || (takesAggregate(of.kind, operand.func) && isCounted))
      return typeOfAggregate(operand.func, of);
    unsupported(of);
    return undefined;
  };
  const isOfTokens = ({ value }: { value: unknown }, { domain }: TokenSight): boolean =>
    [value ?? []].flat().every((one) => tokens.open(String(one), domain) !== undefined);
  const checkFilter = (filter: Filter): void => {
    if ('logic' in filter) {
      filter.conditions.forEach(checkFilter);
      return;
    }
    const seen = operandType(filter.operand);
    if (seen === undefined) return;
    const isTold = seen.token === undefined || TOKEN_OPERATORS.includes(filter.operator);
    if (!takesOperator(seen.kind, filter.operator) || !isTold) unsupported(seen);
    else if (constantsOf(filter, seen.kind, limits.constants) === undefined) problems.push('value');
    else if (seen.token !== undefined && !isOfTokens(filter, seen.token)) problems.push('value');
  };

  const isGrouped = query.aggregates.length + query.groupBy.length > 0;
  if (query.having.length > 0 && !isGrouped) problems.push('having_without_groups');
  if (grouping.of === 'groups' && grouping.keys.some((key) => !isCompared(sight(key).kind))) {
    problems.push('unsupported_on_type');
  }
  const isSaid = query.joins.every(({ type }) => limits.joinTypes.includes(type));
  if (!isSaid) problems.push('unsupported_join');
  for (const { left, right } of query.joins.flatMap((join) => join.pairs)) {
    // "A join on a constant is refused with a reason."
    const isConstant = (ref: Ref) => ['full', 'nullify'].includes(sight(ref).masked ?? '');
    if (isConstant(left) || isConstant(right)) problems.push('unsupported_on_masked');
    const rawKind = (ref: Ref) => sight(ref).token?.rawKind ?? sight(ref).kind;
    if (!joins(rawKind(left), rawKind(right))) problems.push('unsupported_on_type');
    // "Only between two fields that are both tokenized under the same classification."
    const isAlike = sight(left).token?.domain === sight(right).token?.domain;
    if (!isAlike) problems.push('unsupported_on_masked');
  }
  query.filters.forEach(checkFilter);
  query.having.forEach(checkFilter);
  for (const ref of query.columns) {
    const isKey = grouping.of !== 'groups' || grouping.keys.some((key) => sameRef(key, ref));
    if (!isKey) problems.push('not_grouped');
  }
  for (const one of query.aggregates) operandType({ func: one.func, of: one.of });
  const names = outputNames(query);
  if (new Set(names).size < names.length) problems.push('duplicate_output');
  for (const { operand } of query.orderBy) {
    if (!('ref' in operand)) {
      operandType(operand);
      continue;
    }
    const isKey =
      grouping.of === 'groups' && grouping.keys.some((key) => sameRef(key, operand.ref));
    if (sight(operand.ref).token !== undefined) problems.push('unsupported_on_masked');
    else if (!isCompared(sight(operand.ref).kind)) problems.push('unsupported_on_type');
    else if (grouping.of !== 'rows' && !isKey) problems.push('not_grouped');
  }
  return problems;
}

/** The values of a filter, or nothing where one is not of the kind. */
export function constantsOf(
  { operator, value }: Extract<Filter, { operator: string }>,
  kind: FieldKind,
  limits?: ConstantLimits,
) {
  if (operator === 'is_null' || operator === 'is_not_null') return [];
  const isPattern = operator === 'like' || operator === 'not_like';
  if (isPattern && typeof value === 'string' && endsInEscape(value)) return undefined;
  const values = (Array.isArray(value) ? value : [value]).map((one) =>
    readConstant(kind, one, limits),
  );
  const known = values.filter((one) => one !== undefined);
  return known.length === values.length ? known : undefined;
}

/** "Output columns are named after the field; where two collide, each is `<dataset or alias>.<field>`." */
export function outputNames({ sources, columns, aggregates }: Resolved): string[] {
  const nameOf = ({ source, index }: Ref) => sources[source]?.dataset.fields[index]?.name ?? '';
  const names = columns.map((ref) => {
    const collides = columns.some(
      (one) => one.source !== ref.source && nameOf(one) === nameOf(ref),
    );
    return collides ? `${sources[ref.source]?.label}.${nameOf(ref)}` : nameOf(ref);
  });
  return [...names, ...aggregates.map(({ name }) => name)];
}
