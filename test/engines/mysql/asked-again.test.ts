import { describe, expect, it } from 'vitest';
import type { VisibilityTable } from '../../aql/aql-fixtures.js';
import { enginesUnderTest } from '../../conformance/engines.js';
import { withTable } from './with-table.js';

const under = enginesUnderTest.mysql;
const title = under.skipped ? `(skipped: ${under.skipped})` : '';

const TABLES = `
  create table t (id integer primary key, mail varchar(40), size integer);
  create table o (id integer primary key, person integer, page varchar(40));
  insert into t values (1, 'a', 1), (2, 'b', null), (3, null, 3), (4, 'c', 2);
  insert into o values (1, 1, 'x'), (2, 1, null), (3, 2, 'y'), (4, 9, 'z');`;

const MASKS: VisibilityTable = {
  't.mail': { method: 'partial', prefix: 1, suffix: 0, minLength: 1 },
  't.size': 'full',
  'o.page': 'full',
};

const joined = (type: string, value: string) => ({
  joins: [{ type, table: 'o', left_field: 't.id', right_field: 'o.person' }],
  aggregates: [
    { func: 'count', field: 'size' },
    { func: 'max', field: 'mail' },
    { func: 'count', field: 'page' },
  ],
  filters: [{ operator: 'eq', field: 'size', value }],
});

describe.skipIf(under.skipped !== null)(`What MySQL is asked again ${title}`, () => {
  // MariaDB keeps parts of an execution in a prepared statement, and refuses this one when it is executed again.
  it.each([
    ['LEFT', [5, 'c****', 3]],
    ['INNER', [3, 'b****', 3]],
  ])('is answered as it was, of a join %s', (type, all) =>
    withTable(TABLES, async (run) => {
      for (const value of ['*****', '*****', 'x', '*****', 'x']) {
        const expected = value === 'x' ? [0, null, 0] : all;
        expect(await run(joined(type, value), MASKS)).toEqual([expected]);
      }
    }),
  );
});
