import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ScannedSchema, ScannedTable } from '../../src/schema/model.js';
import { parseRegistry } from '../../src/schema/parse-registry.js';
import { printRegistryLock } from '../../src/schema/registry-lock.js';
import { type Baseline, NOTHING, scan } from './scan-fixtures.js';

const name = fc.constantFrom(
  ...[
    'id',
    'email',
    'ssn',
    'null',
    'a b',
    'x.y',
    '#c',
    'é',
    ':s',
    '"',
    "it's",
    '- z',
    'constructor',
    '1',
    'a: b',
  ],
);
const type = fc.constantFrom('integer', 'text', 'varchar', 'jsonb', 'text[]');

const scannedTable: fc.Arbitrary<ScannedTable> = fc
  .record({
    schema: fc.constantFrom('public', 'other', 'a.b'),
    name,
    oid: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
    kind: fc.constantFrom('table' as const, 'view' as const),
    columns: fc.uniqueArray(fc.record({ name, type, nullable: fc.boolean() }), {
      selector: (column) => column.name,
      maxLength: 6,
    }),
    reference: fc.option(fc.tuple(name, name, name), { nil: undefined }),
  })
  .map(({ schema, name: table, oid, kind, columns, reference }) => ({
    table: { schema, name: table, ...(oid === undefined ? {} : { oid }) },
    kind,
    primary_key: columns.slice(0, 1).map((column) => column.name),
    unique_keys: [],
    foreign_keys:
      reference === undefined
        ? []
        : [
            {
              columns: [reference[0]],
              references: { schema: 'public', table: reference[1], columns: [reference[2]] },
            },
          ],
    columns: columns.map((column, index) => ({
      ...column,
      native: column.type,
      position: index + 1,
    })),
  }));

const scanned: fc.Arbitrary<ScannedSchema> = fc
  .uniqueArray(scannedTable, {
    selector: ({ table }) => JSON.stringify([table.schema, table.name]),
    maxLength: 5,
  })
  .map((tables) => {
    // An object id belongs to one table of a database at most.
    const seen = new Set<number>();
    return {
      server: 'postgres 15.4',
      defaultSchema: 'public',
      tables: tables.map((entry) => {
        const { oid, ...table } = entry.table;
        if (oid === undefined || seen.has(oid)) return { ...entry, table };
        seen.add(oid);
        return entry;
      }),
    };
  });

const history = fc.array(
  fc.record({ datasource: fc.constantFrom('production_db', 'crm'), scanned }),
  { minLength: 1, maxLength: 4 },
);

function runAll(
  steps: readonly { datasource: string; scanned: ScannedSchema }[],
  start: Baseline = NOTHING,
): Baseline {
  let baseline = start;
  for (const { datasource, scanned: found } of steps) {
    baseline = scan(baseline, found, { datasource });
  }
  return baseline;
}

describe('any history of scans', () => {
  it('gives a registry that parses and that scanning the same again does not change by a byte', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const baseline = runAll(steps);
        const last = steps.at(-1);
        if (last === undefined) return;
        const again = scan(baseline, last.scanned, { datasource: last.datasource });
        expect(again.drift).toEqual([]);
        expect(again.registryText).toBe(baseline.registryText);
        expect(printRegistryLock(again.lock)).toBe(printRegistryLock(baseline.lock));
      }),
      { numRuns: 150 },
    );
  });

  it('has every scanned column in registry and lock, and nothing in the lock that is marked gone', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const baseline = runAll(steps);
        const { registry } = parseRegistry(baseline.registryText, 'r');
        const last = steps.at(-1);
        const locked = Object.entries(baseline.lock.datasets);
        for (const [key, dataset] of locked) {
          expect(registry.get(key)).toMatchObject({ datasource: dataset.datasource });
          expect(registry.get(key)?.gone).toBeUndefined();
          for (const [field, { type: of }] of Object.entries(dataset.fields)) {
            expect(registry.get(key)?.fields.get(field)).toMatchObject({ type: of });
            expect(registry.get(key)?.fields.get(field)?.gone).toBeUndefined();
          }
        }
        for (const table of last?.scanned.tables ?? []) {
          const match = locked.find(
            ([, { datasource, table: at }]) =>
              datasource === last?.datasource &&
              at.schema === table.table.schema &&
              at.name === table.table.name,
          );
          expect(Object.keys(match?.[1].fields ?? {}).sort()).toEqual(
            table.columns.map((column) => column.name).sort(),
          );
        }
      }),
      { numRuns: 150 },
    );
  });

  it('never lowers a sensitivity, drops a tag or loses a comment that a person wrote', () => {
    fc.assert(
      fc.property(scanned, scanned, history, (first, second, others) => {
        const baseline = scan(NOTHING, first);
        let number = 0;
        const registryText = baseline.registryText.replace(
          /^( {4}.*sensitivity: )\w+(, category: )\w+.*\}$/gm,
          (_line, head, category) => {
            number += 1;
            return `${head}high${category}internal, tags: [kept_${number}]} # comment ${number}`;
          },
        );
        const result = runAll([{ datasource: 'production_db', scanned: second }, ...others], {
          ...baseline,
          registryText,
        });
        const { registry } = parseRegistry(result.registryText, 'r');
        const fields = [...registry.values()].flatMap((dataset) => [...dataset.fields.values()]);
        for (let tag = 1; tag <= number; tag += 1) {
          const kept = fields.filter((field) => field.tags.includes(`kept_${tag}`));
          expect(kept.length).toBeGreaterThan(0);
          for (const field of kept) expect(field.sensitivity).toBe('high');
          expect(result.registryText).toContain(`# comment ${tag}\n`);
        }
      }),
      { numRuns: 150 },
    );
  });
});
