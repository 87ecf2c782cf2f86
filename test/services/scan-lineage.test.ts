import { describe, expect, it } from 'vitest';
import { SCAN_GROUNDS, type ScanGround } from './scan-grounds.js';

type EngineName = keyof typeof SCAN_GROUNDS;

const TABLES: Record<EngineName, string> = {
  postgres: `
    CREATE TABLE people (id integer PRIMARY KEY, ssn text UNIQUE, city text, size integer,
      x1 text GENERATED ALWAYS AS (lower(ssn)) STORED, x2 integer GENERATED ALWAYS AS (size * 2) STORED,
      x3 jsonb, x4 bytea, x5 text[], x6 xml);`,
  mysql: `
    CREATE TABLE people (id INTEGER PRIMARY KEY, ssn VARCHAR(90) UNIQUE, city VARCHAR(90), size INTEGER,
      x1 VARCHAR(99) GENERATED ALWAYS AS (concat(lower(ssn), 'size')) VIRTUAL,
      x2 INTEGER GENERATED ALWAYS AS (size * 2) VIRTUAL, x3 JSON, x4 BLOB);`,
  sqlite: `
    CREATE TABLE people (id INTEGER PRIMARY KEY, ssn TEXT UNIQUE, city TEXT, size INTEGER,
      x1 TEXT GENERATED ALWAYS AS (lower(ssn)), x2 INTEGER GENERATED ALWAYS AS (size * 2), x3 JSON, x4 BLOB, x5 WHATEVER);`,
};

const REST: Record<EngineName, string> = {
  postgres: `
    CREATE TABLE visits (y1 text REFERENCES people (ssn), y2 integer REFERENCES people (id));
    CREATE VIEW shown AS SELECT ssn AS z1, upper(ssn) AS z2 FROM people;
    CREATE MATERIALIZED VIEW kept AS SELECT z1 AS w1 FROM shown`,
  mysql: `
    CREATE TABLE visits (y1 VARCHAR(90), y2 INTEGER, FOREIGN KEY (y1) REFERENCES people (ssn),
      FOREIGN KEY (y2) REFERENCES people (id));
    CREATE VIEW shown AS SELECT ssn AS z1, upper(ssn) AS z2 FROM people`,
  sqlite: `
    CREATE TABLE visits (y1 TEXT REFERENCES people (ssn), y2 INTEGER REFERENCES people (id));
    CREATE VIEW shown AS SELECT ssn AS z1, upper(ssn) AS z2 FROM people;
    CREATE VIEW kept AS SELECT z1 AS w1 FROM shown;
    CREATE VIEW broken AS SELECT missing FROM nowhere`,
};

const OPAQUE = ['x3 internal high', 'x4 internal high'];

/** `field category sensitivity`, as a first scan proposes them. */
const STARTS: Record<EngineName, readonly string[]> = {
  postgres: [
    ...['x1 pii high', 'x2 internal low', ...OPAQUE, 'x5 internal high', 'x6 internal high'],
    ...['y1 pii high', 'y2 internal low', 'z1 pii high', 'z2 pii high', 'w1 pii high'],
  ],
  // What a view shows, neither MySQL nor MariaDB says by column.
  mysql: [
    ...['x1 pii high', 'x2 internal low', ...OPAQUE, 'y1 pii high', 'y2 internal low'],
    ...['z1 internal high', 'z2 internal high'],
  ],
  // Of generated columns, and of expressions of a view, SQLite says nothing.
  sqlite: [
    ...['x1 internal high', 'x2 internal high', ...OPAQUE, 'x5 internal high'],
    ...['y1 pii high', 'y2 internal low', 'z1 pii high', 'z2 internal high', 'w1 pii high'],
  ],
};

for (const [name, ground] of Object.entries(SCAN_GROUNDS)) {
  const engine = name as EngineName;
  describe.skipIf(ground.reason)(
    `where columns come from, on ${engine} ${ground.reason ?? ''}`,
    () => {
      it('makes them as strict as that, and high where it cannot be told', () =>
        ground.with(async (db: ScanGround) => {
          await db.run(TABLES[engine]);
          await db.run(REST[engine]);
          // The view that is broken is left out: it shows nothing, and keeps nothing else from being read.
          const { report } = await db.scan({ apply: true });
          const found = report.drift.flatMap(({ field, category, sensitivity }) =>
            field !== undefined && /^[w-z]\d$/.test(field)
              ? [`${field} ${category} ${sensitivity}`]
              : [],
          );
          expect(found.sort()).toEqual([...STARTS[engine]].sort());
          const because = (field: string) =>
            report.drift.find((finding) => finding.field === field)?.because;
          expect(because('y1')).toContain('refers to people.ssn, and is as strict');
          if (engine !== 'sqlite') expect(because('x1')).toContain('comes from people.ssn');
          if (engine === 'sqlite') expect(because('z1')).toContain('comes from people.ssn');
          if (engine === 'postgres')
            expect(because('w1')).toContain('of a view that reads shown.z1');
          expect(await db.files()).not.toContain('origins');
          expect((await db.scan({ apply: true })).written).toEqual([]);
        }));

      it('follows what a person has said of the column they come from', () =>
        ground.with(async (db: ScanGround) => {
          await db.run(TABLES[engine]);
          await db.scan({ apply: true });
          await db.review(
            'city',
            'sensitivity: medium, category: pii',
            'sensitivity: high, category: phi',
          );
          const text = engine === 'sqlite' ? 'TEXT' : 'VARCHAR(99)';
          const generated = engine === 'postgres' ? 'STORED' : 'VIRTUAL';
          await db.run(
            `ALTER TABLE people ADD x7 ${text} GENERATED ALWAYS AS (lower(city)) ${generated}`,
          );
          await db.run('CREATE VIEW towns AS SELECT city AS z7 FROM people');
          const { report } = await db.scan();
          const tags = (field: string) => {
            const found = report.drift.find((finding) => finding.field === field);
            return `${found?.category} ${found?.sensitivity}`;
          };
          expect(tags('x7')).toBe(engine === 'sqlite' ? 'internal high' : 'phi high');
          expect(tags('z7')).toBe(engine === 'mysql' ? 'internal high' : 'phi high');
        }));
    },
  );
}
