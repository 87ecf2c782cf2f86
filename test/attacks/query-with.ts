import type { Place } from './payload-model.js';

/** The part of AQL that these queries use. */
export interface Query {
  source_table: string;
  columns?: string[];
  joins?: { table: string; alias: string; left_field: string; right_field: string }[];
  aggregates?: { func: string; field: string; alias: string }[];
  filters?: Condition[];
  group_by?: string[];
  having?: Condition[];
  order_by?: { column: string; direction?: string };
  limit?: unknown;
}

export interface Condition {
  operator: string;
  field: string;
  value: unknown;
}

const ROWS = {
  source_table: 'notes',
  columns: ['id', 'body'],
  order_by: { column: 'id' },
  limit: 100,
};
const GROUPS = {
  source_table: 'notes',
  columns: ['kind'],
  aggregates: [{ func: 'count', field: '*', alias: 'n' }],
  group_by: ['kind'],
};

/** More than any group of `notes` has rows. */
export const HAVING_MORE_THAN = 1000;

/** A query with a text in one of its places; in all others it is what anybody would ask of `notes`. */
export function queryWith(place: Place, text: string, value: unknown = text): Query {
  const filtered = (operator: string, field: string, operand: unknown) => ({
    ...ROWS,
    filters: [{ operator, field, value: operand }],
  });
  switch (place) {
    case 'value':
      return filtered('eq', 'body', value);
    case 'number':
      return filtered('eq', 'id', value);
    case 'like':
      return filtered('like', 'body', value);
    case 'list':
      return filtered('in', 'body', [value]);
    case 'field':
      return { source_table: 'notes', columns: ['id', text], limit: 100 };
    case 'group':
      return { ...GROUPS, group_by: [text] };
    case 'table':
      return { source_table: text, columns: ['*'], limit: 100 };
    case 'alias':
      return { ...GROUPS, aggregates: [{ func: 'count', field: '*', alias: text }] };
    case 'join_alias': {
      const keys = { left_field: 'notes.id', right_field: `${text}.id` };
      const joins = [{ table: 'notes', alias: text, ...keys }];
      return { source_table: 'notes', columns: ['notes.id', 'notes.body'], joins, limit: 5 };
    }
    case 'func':
      return { ...GROUPS, aggregates: [{ func: text, field: 'id', alias: 'n' }] };
    case 'having':
      return { ...GROUPS, having: [{ operator: 'gt', field: text, value: HAVING_MORE_THAN }] };
    case 'having_value':
      return { ...GROUPS, having: [{ operator: 'gt', field: 'COUNT(*)', value }] };
    case 'order':
      return { ...ROWS, order_by: { column: text } };
    case 'direction':
      return { ...ROWS, order_by: { column: 'id', direction: text } };
    case 'limit':
      return { ...ROWS, limit: value };
  }
}
