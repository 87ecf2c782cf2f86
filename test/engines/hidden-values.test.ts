import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Connector } from '../../src/engines/contract.js';
import { ENGINES } from '../../src/engines/index.js';
import type { ScannedTable } from '../../src/schema/model.js';
import type { VisibilityTable } from '../aql/aql-fixtures.js';
import { plannableAql } from '../aql/plannable-aql.js';
import { grounds, type RunnableEngine } from '../oracles/grounds.js';
import { runGoverned, scannedRegistry } from './governed-query.js';

const RUNS = 150;

/** Two databases that differ only in what these hide: values, and with them the order of indexes and of rows on disk. */
const HIDING: VisibilityTable = {
  'people.mail': 'full',
  'people.size': 'nullify',
  'visits.page': 'full',
};

/** A text that an index may cover, and a number with a fraction. */
interface Spelling {
  text: string;
  numeric: string;
}

const STANDARD: Spelling = { text: 'text', numeric: 'numeric' };
const SPELLINGS: Record<RunnableEngine, Spelling> = {
  sqlite: STANDARD,
  postgres: STANDARD,
  mysql: { text: 'varchar(200)', numeric: 'numeric(12, 2)' },
  bigquery: STANDARD,
};

const TABLES = ({ text, numeric }: Spelling, suffix: string) => `
  create table people_${suffix} (id integer not null primary key, mail ${text}, name varchar(20), size ${numeric},
    ratio double precision);
  create table visits_${suffix} (person integer, page ${text});
  create index mail_${suffix} on people_${suffix} (mail);
  create index size_${suffix} on people_${suffix} (size);
  create index page_${suffix} on visits_${suffix} (page);
  create index mail_name_${suffix} on people_${suffix} (mail, name);`;

const VIEWS = (suffix: string) =>
  `create view names_${suffix} as select name from people_${suffix};`;
/** The oracle has tables alone; that a view is ordered there too, the cases of its SQL show. */
const HAS_VIEWS = (name: RunnableEngine) => name !== 'bigquery';

const IDS = Array.from({ length: 40 }, (_, index) => index + 1);

/** Everything but `mail`, `size` and `page` is the same for both; the rows are written in another order. */
function fill(suffix: string, ids: readonly number[], hidden: (id: number) => number): string {
  const people = ids.map((id) => {
    const mail = hidden(id) % 5 === 0 ? 'null' : `'m${hidden(id)}'`;
    const size = hidden(id) % 7 === 0 ? 'null' : `${hidden(id)}.${id % 3 === 0 ? '0' : '50'}`;
    const ratio = id % 4 === 0 ? 'null' : `${(id % 6) / 10}`;
    return `(${id}, ${mail}, 'n${id % 4}', ${size}, ${ratio})`;
  });
  const visits = ids.map((id) => {
    const person = id % 6 === 0 ? 'null' : id % 9;
    return `(${person}, ${hidden(id) % 3 === 0 ? 'null' : `'p${hidden(id)}'`})`;
  });
  return `insert into people_${suffix} values ${people.join(', ')};
    insert into visits_${suffix} values ${visits.join(', ')};`;
}

const twin = (tables: readonly ScannedTable[], suffix: string) =>
  scannedRegistry(
    tables.filter(({ table }) => table.name.endsWith(`_${suffix}`)),
    (table) => table.slice(0, -2),
  );

for (const under of grounds) {
  const title = under.skipped ? `${under.name} (skipped: ${under.skipped})` : under.name;

  describe.skipIf(under.skipped !== null)(`what is hidden on ${title}`, () => {
    it('changes neither the rows of a query nor their order', () =>
      under.withGround(async ({ target, schema, execute }) => {
        const spelling = SPELLINGS[under.name];
        await execute(TABLES(spelling, 'a') + TABLES(spelling, 'b'));
        if (HAS_VIEWS(under.name)) await execute(VIEWS('a') + VIEWS('b'));
        await execute(fill('a', IDS, (id) => id));
        await execute(fill('b', [...IDS].reverse(), (id) => (id * 17) % 41));
        const engine = ENGINES[under.name];
        const connector = await engine.connect(target);
        try {
          const { tables } = await connector.introspect({ include: [`${schema}.*`] });
          const run = (suffix: string, query: unknown): Promise<unknown> =>
            runGoverned(engine, connector as Connector, twin(tables, suffix), query, HIDING);
          if (HAS_VIEWS(under.name)) {
            // All of the view is readable; an index has its rows in the order of what is not.
            const names = { source_table: 'names', columns: ['name'], limit: 9 };
            expect(await run('b', names)).toEqual(await run('a', names));
          }
          let rows = 0;
          await fc.assert(
            fc.asyncProperty(plannableAql, async (query) => {
              const answer = await run('a', query);
              expect(await run('b', query)).toEqual(answer);
              if (Array.isArray(answer) && Array.isArray(answer[0])) rows += answer.length;
            }),
            { numRuns: RUNS },
          );
          expect(rows).toBeGreaterThan(RUNS);
        } finally {
          await connector.close();
        }
      }));
  });
}
