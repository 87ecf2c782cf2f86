import { describe, expect, it } from 'vitest';
import { parseIntent } from '../../src/aql/parse-intent.js';

describe('parseIntent', () => {
  it('reads a dataset alone as all of its readable fields', () => {
    expect(parseIntent({ dataset: 'customers' })).toEqual({
      aql: { source_table: 'customers', columns: ['*'] },
      purpose: null,
    });
  });

  it('reads fields, filters, limit and purpose', () => {
    const filters = [{ operator: 'eq', field: 'country', value: 'DE' }];
    const intent = { dataset: 'customers', fields: ['id'], filters, limit: 5, purpose: 'support' };
    expect(parseIntent(intent)).toEqual({
      aql: { source_table: 'customers', columns: ['id'], filters, limit: 5 },
      purpose: 'support',
    });
  });

  it('reports every problem with a pointer into the form that was sent', () => {
    const result = parseIntent({
      fields: ['a', 5],
      filters: [{ operator: 'eq', field: 'a' }],
      limit: 'ten',
      purpose: '\0',
      joins: [],
    });
    expect(result).toMatchObject({
      problems: [
        { pointer: '/joins', code: 'unknown_key' },
        { pointer: '/dataset', code: 'required' },
        { pointer: '/fields/1', code: 'type' },
        { pointer: '/filters/0/value', code: 'null_value' },
        { pointer: '/limit', code: 'type' },
        { pointer: '/purpose', code: 'text' },
      ],
    });
  });
});
