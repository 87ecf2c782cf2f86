import { describe, expect, it } from 'vitest';
import { postgres } from '../../../src/engines/postgres/index.js';
import { enginesUnderTest } from '../../conformance/engines.js';
import { runGoverned, scannedRegistry } from '../governed-query.js';

const under = enginesUnderTest.postgres;
const title = under.skipped ? `(skipped: ${under.skipped})` : '';

describe.skipIf(under.skipped !== null)(
  `PostgreSQL's own types in governed queries ${title}`,
  () => {
    it('are text where they are texts, and one where they are equal', () =>
      under.withGround(async ({ target, schema, execute }) => {
        await execute(`
        create type mood as enum ('sad', 'ok', 'glad');
        create table t (id integer primary key, feels mood, fixed char(6), n numeric, r real, secret text,
          labels text[], prefs jsonb, ip inet);
        insert into t values (1, 'sad', 'ab', 1.0, 0, 'z', array['a'], '{"a": 1}', '10.0.0.1'),
          (2, 'glad', 'ab ', 1.00, '-0', 'a', null, null, null),
          (3, 'ok', 'abcdef', 2, 1.5, 'm', '{}', '[]', '::1');
        create index on t (secret);`);
        const connector = await postgres.connect(target);
        try {
          const registry = scannedRegistry(
            (await connector.introspect({ include: [`${schema}.*`] })).tables,
          );
          const run = (query: object, masks = {}) =>
            runGoverned(postgres, connector, registry, { source_table: 't', ...query }, masks);
          const hidden = { 't.secret': 'hidden' };

          expect(await run({ columns: ['feels'], order_by: { column: 'feels' } })).toEqual([
            ['glad'],
            ['ok'],
            ['sad'],
          ]);
          expect(
            await run(
              { columns: ['id'], filters: [{ operator: 'gt', field: 'feels', value: 'oj' }] },
              hidden,
            ),
          ).toEqual([[1], [3]]);
          expect(
            await run({
              columns: ['fixed'],
              filters: [{ operator: 'eq', field: 'fixed', value: 'ab' }],
            }),
          ).toEqual([['ab'], ['ab']]);
          // Which of 1.0 and 1.00, of 0 and -0, comes out of a group must not depend on the order of rows.
          expect(
            await run({ columns: ['n', 'r'], aggregates: [{ func: 'count', field: '*' }] }, hidden),
          ).toEqual([
            [1, 0, 2],
            [2, 1.5, 1],
          ]);
          expect(
            await run(
              { columns: ['feels', 'fixed'] },
              { 't.feels': 'partial', 't.fixed': 'partial' },
            ),
          ).toEqual([
            ['****', '****'],
            ['****', '****'],
            ['****', 'abc****'],
          ]);
          // Without a key that may be seen, every column orders, by its text: {a} before {}.
          expect(
            await run(
              { columns: ['labels', 'prefs', 'ip', 'r'] },
              { 't.id': 'hidden', 't.secret': 'full' },
            ),
          ).toEqual([
            [['a'], { a: 1 }, '10.0.0.1', 0],
            [[], [], '::1', 1.5],
            [null, null, null, 0],
          ]);
          const nullified = Object.fromEntries(
            ['feels', 'fixed', 'n', 'r', 'labels', 'prefs', 'ip'].map((name) => [
              `t.${name}`,
              'nullify',
            ]),
          );
          expect(await run({ columns: ['*'], limit: 1 }, nullified)).toEqual([
            [1, null, null, null, null, 'z', null, null, null],
          ]);
        } finally {
          await connector.close();
        }
      }));
  },
);
