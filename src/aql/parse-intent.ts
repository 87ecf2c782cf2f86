import type { Problem } from '../errors/index.js';
import { checkSize } from './check-size.js';
import {
  checkCount,
  checkList,
  checkName,
  checkObject,
  ownValue,
  pointerTo,
} from './input-checks.js';
import type { Aql } from './model.js';
import { AQL_LIMITS } from './model.js';
import { parseFilters } from './parse-filters.js';

export const INTENT_KEYS = ['dataset', 'fields', 'filters', 'limit', 'purpose'] as const;

/** Characters of a stated purpose. */
export const PURPOSE_CHARACTERS_MAX = 256;

/**
 * Reads the agents' form, `{"dataset", "fields"?, "filters"?, "limit"?, "purpose"?}`: a read of one dataset, of every
 * readable field where none is named. Pointers of problems are those of this form, not of the query it becomes.
 */
export function parseIntent(
  input: unknown,
): { aql: Aql; purpose: string | null } | { problems: Problem[] } {
  const tooMuch = checkSize(input);
  if (tooMuch !== undefined) return { problems: [tooMuch] };
  const problems: Problem[] = [];
  const object = checkObject(input, '', INTENT_KEYS, problems);
  if (object === undefined) return { problems };
  const dataset = checkName(ownValue(object, 'dataset'), '/dataset', problems);
  const given = checkList(ownValue(object, 'fields'), '/fields', AQL_LIMITS.columnsMax, problems);
  const fields = given.flatMap((entry, index) => {
    const field = checkName(entry, pointerTo('/fields', index), problems);
    return field === undefined ? [] : [field];
  });
  const filters = parseFilters(ownValue(object, 'filters'), '/filters', problems);
  const limit = checkCount(ownValue(object, 'limit'), '/limit', problems);
  const stated = ownValue(object, 'purpose');
  const purpose =
    stated === undefined
      ? null
      : (checkName(stated, '/purpose', problems, PURPOSE_CHARACTERS_MAX) ?? null);
  if (problems.length > 0 || dataset === undefined) return { problems };
  const columns = fields.length > 0 ? fields : ['*'];
  const aql: Aql = {
    source_table: dataset,
    columns,
    ...(filters.length > 0 && { filters }),
    ...(limit > 0 && { limit }),
  };
  return { aql, purpose };
}
