import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ENGINES } from '../../src/engines/index.js';
import type { ScannedTable } from '../../src/schema/model.js';
import type { VisibilityTable } from '../aql/aql-fixtures.js';
import { grounds, type RunnableEngine } from '../oracles/grounds.js';
import { runGoverned, scannedRegistry } from './governed-query.js';

/** What the engines spell in their own ways. */
interface Spelling {
  /** A text that an index may cover. */
  indexed: string;
  /** A text of which no two are equal that differ in a code point. */
  exact: string;
  moment: string;
  bytes: string;
  bytesLiteral: string;
  zoned: string;
  /** 2026-03-01, at 08:00:00 and a microsecond later, in UTC. */
  zonedLiterals: readonly [string, string];
  /** 2026-03-01, at 08:00:00.5, 08:00:00, 09:00:00 and 08:00:00.5 again, in UTC. */
  moves: readonly string[];
}

const STANDARD: Spelling = {
  indexed: 'text',
  exact: 'varchar(20)',
  moment: 'timestamp',
  bytes: 'blob',
  bytesLiteral: "x'0001ff'",
  zoned: 'timestamp with time zone',
  zonedLiterals: ["'2026-03-01T10:00:00+02:00'", "'2026-03-01T08:00:00.000001+00:00'"],
  moves: [
    "'2026-03-01T10:00:00.500+02:00'",
    "'2026-03-01T08:00:00Z'",
    "'2026-03-01T07:00:00-02:00'",
    "'2026-03-01T08:00:00.5Z'",
  ],
};

const SPELLINGS: Record<RunnableEngine, Spelling> = {
  sqlite: STANDARD,
  postgres: { ...STANDARD, bytes: 'bytea', bytesLiteral: "'\\x0001ff'" },
  mysql: {
    ...STANDARD,
    indexed: 'varchar(200)',
    // The collation of the database takes "a" for "ä".
    exact: 'varchar(20) collate utf8mb4_bin',
    moment: 'datetime(6)',
    zoned: 'timestamp(6) null',
    zonedLiterals: ["'2026-03-01 08:00:00'", "'2026-03-01 08:00:00.000001'"],
    moves: ['08:00:00.5', '08:00:00', '09:00:00', '08:00:00.5'].map((at) => `'2026-03-01 ${at}'`),
  },
  bigquery: {
    ...STANDARD,
    moment: 'datetime',
    bytes: 'bytes',
    bytesLiteral: "b'\\x00\\x01\\xff'",
    zoned: 'timestamp',
  },
};

const TABLES = ({ indexed, exact, moment }: Spelling) => `
  create table people (id integer not null primary key, mail ${indexed}, code ${exact} not null unique,
    born date, balance numeric(24, 4), score double precision, active boolean, met ${moment});
  insert into people values
    (1, null, 'a', null, null, null, null, null),
    (2, '', 'B', '1815-12-10', 12.50, 0.5, true, '2026-03-01 10:00:00'),
    (3, 'a', 'Z', '2000-02-29', 100, 1e21, false, '2026-03-01 10:00:00.500'),
    (4, 'naïve🦆', 'ä', '1999-12-31', -0.001, -2.5, true, '2026-03-01 11:00:00'),
    (5, 'ada@example.com', 'é ', '1999-12-31', 9007199254740993, 0.1, true, '2025-12-31 23:59:59.999999'),
    (6, 'abcde', '🦆', '0001-01-01', 0, 0, false, '2026-03-02 00:00:00');
  create index people_mail on people (mail);
  create table orders (id integer not null primary key, person integer, amount numeric(12, 2), kind text, note text);
  insert into orders values (10, 2, 0.10, 'x', 'n1'), (11, 2, 0.20, 'x', null), (12, 3, 1000.00, 'X', 'n3'),
    (13, null, 5.00, null, 'n4'), (14, 3, 1.01, 'x ', 'n5'), (15, 99, 7.77, 'é', 'n6');
  create table plain (person integer, kind text);
  insert into plain values (3, 'b'), (2, 'b'), (2, 'a'), (2, 'a'), (null, null);`;

const KINDS = ({ bytes, bytesLiteral, zoned, zonedLiterals, moves }: Spelling) => `
  create table kinds (id integer not null primary key, token uuid, avatar ${bytes}, wakes time, made ${zoned});
  insert into kinds values
    (1, '123e4567-e89b-12d3-a456-426614174000', ${bytesLiteral}, '07:30:00', ${zonedLiterals[0]}),
    (2, '123e4567-e89b-12d3-a456-426614174001', null, '23:59:59', ${zonedLiterals[1]}),
    (3, null, null, null, null);
  create table moves (id integer not null primary key, made ${zoned});
  insert into moves values ${moves.map((moment, index) => `(${index + 1}, ${moment})`).join(', ')};`;

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

type Rows = readonly (readonly unknown[])[];

interface Result {
  query: object;
  masks?: VisibilityTable;
  rows: Rows;
  /** Where an engine has no such type. */
  others?: Partial<Record<RunnableEngine, Rows>>;
  /** Engines that have no such query, and the message that says so. */
  refused?: Partial<Record<RunnableEngine, string>>;
}

/** What to ask, how it is seen, and the rows that all engines give. */
const RESULTS: Record<string, Result> = {
  'full hides every text, NULL too': {
    query: { source_table: 'people', columns: ['id', 'mail'] },
    masks: { 'people.mail': 'full' },
    rows: [1, 2, 3, 4, 5, 6].map((id) => [id, '*****']),
  },
  'nullify hides every value': {
    query: { source_table: 'people', columns: ['id', 'mail', 'balance', 'born', 'active', 'met'] },
    masks: {
      'people.mail': 'nullify',
      'people.balance': 'nullify',
      'people.born': 'nullify',
      'people.active': 'nullify',
      'people.met': 'nullify',
    },
    rows: [1, 2, 3, 4, 5, 6].map((id) => [id, null, null, null, null, null]),
  },
  'partial counts code points and keeps NULL': {
    query: { source_table: 'people', columns: ['id', 'mail'] },
    masks: { 'people.mail': 'partial' },
    rows: [
      [1, null],
      [2, '****'],
      [3, '****'],
      [4, 'naï****'],
      [5, 'ada****'],
      [6, '****'],
    ],
  },
  'partial keeps a suffix where it is told to': {
    query: { source_table: 'people', columns: ['mail'] },
    masks: { 'people.mail': { method: 'partial', prefix: 1, suffix: 2, minLength: 5 } },
    rows: [[null], ['****'], ['****'], ['n****e🦆'], ['a****om'], ['a****de']],
  },
  'hash is SHA-256 of the UTF-8 bytes': {
    query: { source_table: 'people', columns: ['id', 'mail'] },
    masks: { 'people.mail': 'hash' },
    rows: [
      [1, null],
      [2, sha256('')],
      [3, sha256('a')],
      [4, sha256('naïve🦆')],
      [5, sha256('ada@example.com')],
      [6, sha256('abcde')],
    ],
  },
  'numbers are hashed as canonical decimal text': {
    query: { source_table: 'people', columns: ['id', 'balance'], order_by: { column: 'code' } },
    masks: { 'people.id': 'hash', 'people.balance': 'hash' },
    rows: [
      [sha256('2'), sha256('12.5')],
      [sha256('3'), sha256('100')],
      [sha256('1'), null],
      [sha256('4'), sha256('-0.001')],
      [sha256('5'), sha256('9007199254740993')],
      [sha256('6'), sha256('0')],
    ],
  },
  'hash of dates, floats, booleans and timestamps, and partial of them, is full': {
    query: { source_table: 'people', columns: ['born', 'score', 'active', 'met'], limit: 2 },
    masks: {
      'people.born': 'hash',
      'people.score': 'hash',
      'people.active': 'partial',
      'people.met': 'partial',
    },
    rows: [
      ['*****', '*****', '*****', '*****'],
      ['*****', '*****', '*****', '*****'],
    ],
  },
  'text sorts by code point, NULL last': {
    query: { source_table: 'people', columns: ['code'], order_by: { column: 'code' } },
    rows: [['B'], ['Z'], ['a'], ['ä'], ['é '], ['🦆']],
  },
  'NULL is the largest value': {
    query: {
      source_table: 'people',
      columns: ['id'],
      order_by: { column: 'balance', direction: 'DESC' },
    },
    rows: [[1], [5], [3], [2], [6], [4]],
  },
  'text is equal by code point, also where it looks alike': {
    query: {
      source_table: 'orders',
      columns: ['id'],
      filters: [{ operator: 'eq', field: 'kind', value: 'x' }],
      order_by: { column: 'id' },
    },
    rows: [[10], [11]],
  },
  'neq drops NULL, as SQL does': {
    query: {
      source_table: 'orders',
      columns: ['id'],
      filters: [{ operator: 'neq', field: 'kind', value: 'x' }],
      order_by: { column: 'id' },
    },
    rows: [[12], [14], [15]],
  },
  'patterns know case, code points and escapes': {
    query: {
      source_table: 'people',
      columns: ['id'],
      filters: [
        {
          logic: 'OR',
          conditions: [
            { operator: 'like', field: 'mail', value: 'na_ve_' },
            { operator: 'like', field: 'mail', value: 'ADA%' },
            { operator: 'like', field: 'mail', value: '%@%.c\\om' },
            { operator: 'like', field: 'mail', value: 'a\\_%' },
          ],
        },
      ],
      order_by: { column: 'id' },
    },
    rows: [[4], [5]],
  },
  'an empty list matches nothing, and NOT of it everything': {
    query: {
      source_table: 'orders',
      columns: ['id'],
      filters: [
        { operator: 'not_in', field: 'kind', value: [] },
        { logic: 'NOT', conditions: [{ operator: 'in', field: 'id', value: [] }] },
        { operator: 'in', field: 'id', value: [13, '15'] },
      ],
      order_by: { column: 'id' },
    },
    rows: [[13], [15]],
  },
  'each kind compares with its values': {
    query: {
      source_table: 'people',
      columns: ['id'],
      filters: [
        { operator: 'between', field: 'born', value: ['1800-01-01', '2000-12-31'] },
        { operator: 'eq', field: 'active', value: true },
        { operator: 'lt', field: 'balance', value: '9007199254740993' },
        {
          operator: 'in',
          field: 'met',
          value: ['2026-03-01T10:00:00Z', '2026-03-01T12:00:00+01:00'],
        },
        { operator: 'lte', field: 'score', value: 0.5 },
      ],
      order_by: { column: 'id' },
    },
    rows: [[2], [4]],
  },
  'uuids, bytes, times and moments compare by what they mean': {
    query: {
      source_table: 'kinds',
      columns: ['id', 'token', 'avatar', 'wakes', 'made'],
      filters: [
        { operator: 'eq', field: 'token', value: '123E4567-E89B-12D3-A456-426614174000' },
        { operator: 'in', field: 'avatar', value: ['AAH/'] },
        { operator: 'lt', field: 'wakes', value: '07:30:00.5' },
        { operator: 'eq', field: 'made', value: '2026-03-01T08:00:00Z' },
      ],
    },
    rows: [[1, '123e4567-e89b-12d3-a456-426614174000', 'AAH/', '07:30:00', '2026-03-01T08:00:00Z']],
    // A UUID is a text there, and equal in one spelling alone.
    others: { bigquery: [] },
  },
  'moments sort, group and are counted by what they mean': {
    query: {
      source_table: 'moves',
      columns: ['made'],
      aggregates: [
        { func: 'count', field: '*', alias: 'n' },
        { func: 'max', field: 'id' },
      ],
      order_by: { column: 'made', direction: 'DESC' },
    },
    rows: [
      ['2026-03-01T09:00:00Z', 1, 3],
      ['2026-03-01T08:00:00.5Z', 2, 4],
      ['2026-03-01T08:00:00Z', 1, 2],
    ],
  },
  'one microsecond later is later': {
    query: {
      source_table: 'kinds',
      columns: ['id'],
      filters: [{ operator: 'gt', field: 'made', value: '2026-03-01T08:00:00Z' }],
    },
    masks: { 'kinds.token': 'full', 'kinds.avatar': 'hash' },
    rows: [[2]],
  },
  'uuids and bytes group and are counted': {
    query: {
      source_table: 'kinds',
      columns: ['avatar'],
      aggregates: [
        { func: 'count_distinct', field: 'token' },
        { func: 'max', field: 'made' },
        { func: 'min', field: 'wakes' },
      ],
    },
    masks: { 'kinds.id': 'hidden' },
    rows: [
      ['AAH/', 1, '2026-03-01T08:00:00Z', '07:30:00'],
      [null, 1, '2026-03-01T08:00:00.000001Z', '23:59:59'],
    ],
  },
  'a filter on a masked field compares what is shown': {
    query: {
      source_table: 'people',
      columns: ['id'],
      filters: [{ operator: 'eq', field: 'mail', value: sha256('a') }],
    },
    masks: { 'people.mail': 'hash' },
    rows: [[3]],
  },
  'a filter on the raw value of a masked field finds nothing': {
    query: {
      source_table: 'people',
      columns: ['id'],
      filters: [{ operator: 'eq', field: 'mail', value: 'ada@example.com' }],
    },
    masks: { 'people.mail': 'partial' },
    rows: [],
  },
  'a filter on a constant finds all or nothing': {
    query: {
      source_table: 'people',
      aggregates: [{ func: 'count', field: '*' }],
      filters: [
        { operator: 'eq', field: 'mail', value: '*****' },
        { operator: 'is_null', field: 'balance' },
      ],
    },
    masks: { 'people.mail': 'full', 'people.balance': 'nullify' },
    rows: [[6]],
  },
  'the count of a masked column is 0 where a LEFT JOIN found nothing': {
    query: {
      source_table: 'people',
      columns: ['people.id'],
      joins: [{ type: 'LEFT', table: 'orders', left_field: 'people.id', right_field: 'person' }],
      aggregates: [
        { func: 'count', field: 'note' },
        { func: 'max', field: 'note' },
      ],
    },
    masks: { 'orders.note': 'full' },
    rows: [
      [1, 0, null],
      [2, 2, '*****'],
      [3, 2, '*****'],
      [4, 0, null],
      [5, 0, null],
      [6, 0, null],
    ],
  },
  'sums of decimals are exact and averages agree': {
    query: {
      source_table: 'orders',
      columns: ['person'],
      aggregates: [
        { func: 'sum', field: 'amount' },
        { func: 'avg', field: 'id' },
        { func: 'avg', field: 'amount', alias: 'mean' },
        { func: 'min', field: 'amount' },
        { func: 'count_distinct', field: 'kind' },
      ],
      order_by: [{ column: 'sum_amount', direction: 'DESC' }],
    },
    rows: [
      [3, 1001.01, 13, 500.505, 1.01, 2],
      [99, 7.77, 15, 7.77, 7.77, 1],
      [null, 5, 13, 5, 5, 0],
      [2, 0.3, 10.5, 0.15, 0.1, 1],
    ],
  },
  'a quotient has the same digits everywhere': {
    query: {
      source_table: 'plain',
      aggregates: [
        { func: 'avg', field: 'person' },
        { func: 'sum', field: 'person' },
      ],
      filters: [{ operator: 'eq', field: 'kind', value: 'b' }],
    },
    rows: [[2.5, 5]],
  },
  'aggregates of no row are NULL, counts 0': {
    query: {
      source_table: 'orders',
      aggregates: [
        { func: 'sum', field: 'amount' },
        { func: 'avg', field: 'amount' },
        { func: 'max', field: 'kind' },
        { func: 'count', field: 'kind' },
      ],
      filters: [{ operator: 'eq', field: 'id', value: 0 }],
    },
    rows: [[null, null, null, 0]],
  },
  'having compares sums as numbers': {
    query: {
      source_table: 'orders',
      columns: ['person'],
      aggregates: [{ func: 'count', field: '*', alias: 'n' }],
      having: [
        { operator: 'gt', field: 'SUM(amount)', value: 7 },
        { operator: 'in', field: 'sum(amount)', value: ['7.77', 5] },
      ],
    },
    rows: [[99, 1]],
  },
  'a right join keeps what has no match': {
    query: {
      source_table: 'orders',
      columns: ['orders.id', 'people.id'],
      joins: [{ type: 'RIGHT', table: 'people', left_field: 'person', right_field: 'people.id' }],
      filters: [{ operator: 'lte', field: 'people.id', value: 2 }],
    },
    masks: { 'people.mail': 'hidden' },
    rows: [
      [10, 2],
      [11, 2],
      [null, 1],
    ],
  },
  'a full join keeps both sides': {
    query: {
      source_table: 'orders',
      columns: ['orders.id', 'people.id'],
      joins: [{ type: 'FULL', table: 'people', left_field: 'person', right_field: 'people.id' }],
      filters: [
        {
          logic: 'OR',
          conditions: [
            { operator: 'is_null', field: 'orders.id' },
            { operator: 'is_null', field: 'people.id' },
          ],
        },
      ],
    },
    masks: { 'people.mail': 'full' },
    refused: { mysql: 'This datasource has no FULL join, only INNER, LEFT, RIGHT.' },
    rows: [
      [13, null],
      [15, null],
      [null, 1],
      [null, 4],
      [null, 5],
      [null, 6],
    ],
  },
  'a dataset without a key is ordered by what is shown of it': {
    query: { source_table: 'plain', columns: ['kind', 'person'] },
    masks: { 'plain.kind': 'partial' },
    rows: [
      ['****', 2],
      ['****', 2],
      ['****', 2],
      ['****', 3],
      [null, null],
    ],
  },
  'groups of a masked field are groups of what is shown': {
    query: {
      source_table: 'people',
      columns: ['mail'],
      aggregates: [{ func: 'count', field: 'id' }],
    },
    masks: { 'people.mail': 'partial' },
    rows: [
      ['****', 3],
      ['ada****', 1],
      ['naï****', 1],
      [null, 1],
    ],
  },
  'two hashes of one value join': {
    query: {
      source_table: 'orders',
      columns: ['orders.id', 'code'],
      joins: [{ table: 'people', left_field: 'person', right_field: 'people.id' }],
    },
    masks: { 'orders.person': 'hash', 'people.id': 'hash' },
    rows: [
      [10, 'B'],
      [11, 'B'],
      [12, 'Z'],
      [14, 'Z'],
    ],
  },
};

/** BigQuery enforces no keys, and a scan of it reports none; the rows above are ordered by them all the same. */
function withKey(scanned: ScannedTable): ScannedTable {
  const hasId = scanned.columns[0]?.name === 'id';
  return hasId && scanned.primary_key.length === 0 ? { ...scanned, primary_key: ['id'] } : scanned;
}

for (const under of grounds) {
  const title = under.skipped ? `${under.name} (skipped: ${under.skipped})` : under.name;

  describe.skipIf(under.skipped !== null)(`governed queries on ${title}`, () => {
    it('give the rows that were written by hand', () =>
      under.withGround(async ({ target, schema, execute }) => {
        await execute(TABLES(SPELLINGS[under.name]) + KINDS(SPELLINGS[under.name]));
        const engine = ENGINES[under.name];
        const connector = await engine.connect(target);
        try {
          const { tables } = await connector.introspect({ include: [`${schema}.*`] });
          const registry = scannedRegistry(tables.map(withKey));
          for (const [name, { query, masks, rows, others, refused }] of Object.entries(RESULTS)) {
            const result = await runGoverned(engine, connector, registry, query, masks);
            const message = refused?.[under.name];
            const expected = message
              ? [expect.objectContaining({ message })]
              : (others?.[under.name] ?? rows);
            expect([name, result]).toEqual([name, expected]);
          }
        } finally {
          await connector.close();
        }
      }));
  });
}
