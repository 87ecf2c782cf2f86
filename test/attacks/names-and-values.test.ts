import { describe, expect, it, type TestContext } from 'vitest';
import { type Answer, type Ground, governed } from '../helpers/governed.js';
import { findMysql } from '../helpers/mysql.js';
import { findPostgres } from '../helpers/postgres.js';
import { shared } from '../helpers/shared.js';
import { mysqlShop, postgresShop, sqliteShop } from '../helpers/shop.js';
import type { AtTheEnd } from '../helpers/temporary-folder.js';
import { mapAtOnce } from './at-once.js';

const REGISTRY = `
notes:
  datasource: shop
  fields:
    id: {type: integer, sensitivity: low, category: internal}
    body: {type: text, sensitivity: low, category: internal}
    secret: {type: text, sensitivity: high, category: pii}
t2:
  datasource: shop
  fields:
    c1: {type: integer, sensitivity: low, category: internal}
    t1: {type: text, sensitivity: low, category: internal}
    raw: {type: text, sensitivity: high, category: pii}
`;

/** Texts that something between a requester and a table might take for another. */
const BODIES = [
  ...[
    'plain',
    'Plain',
    'plain ',
    ' plain',
    'pl\u00e4in',
    'pla\u0131n',
    '\uff50lain',
    'pla\u200bin',
  ],
  ...['\u00e9', 'e\u0301', '\u{1f986}', '\u2028', '\ufeffx', 'a\r\nb', 'tab\there'],
  ...[
    '\\',
    '\\\\',
    "\\'",
    "\\\\'",
    "'",
    "''",
    '"',
    '`',
    '\\n',
    '\\x41',
    '\\0',
    '\\Z',
    '\\%',
    '\\_',
  ],
  ...['%', '_', '0', '0x30', '1e1', 'NULL', 'null', 'true', '{}', '[]', '$1', '?', ':name', '@p1'],
];

const hexOf = (text: string) => Buffer.from(text).toString('hex');
const tables = (text: string, literal: (hex: string) => string) => `
create table notes (id integer primary key, body ${text}, secret ${text});
insert into notes values ${BODIES.map((body, index) => `(${index + 1}, ${literal(hexOf(body))}, 'hidden-${index}')`).join(', ')};
create table t2 (c1 integer primary key, t1 ${text}, raw ${text});
insert into t2 values (1, 'one', 'hidden-one'), (2, 'two', 'hidden-two');
`;

const ALLOW = 'id: allow_all\naction: {allow: true}\n';
const MASK =
  'id: mask_pii\nmatch: {fields: {category: pii}}\naction: {mask: true, mask_type: full}\n';
const AT_MOST_TWO = 'id: two_rows\nmatch: {dataset: notes}\naction: {allow: true, max_rows: 2}\n';

/** A database per engine, or why there is none. */
const GROUNDS: Record<string, (atTheEnd: AtTheEnd) => Promise<Ground | string>> = {
  sqlite: (atTheEnd) => {
    const sql = tables('text', (hex) => `cast(x'${hex}' as text)`);
    return sqliteShop({ sql, registryText: REGISTRY }, atTheEnd);
  },
  async postgres(atTheEnd) {
    const { url, reason } = await findPostgres();
    if (url === null) return reason;
    const sql = tables('text', (hex) => `convert_from('\\x${hex}', 'UTF8')`);
    return postgresShop(url, { sql, registryText: REGISTRY }, atTheEnd);
  },
  async mysql(atTheEnd) {
    const { url, reason } = await findMysql();
    if (url === null) return reason;
    const sql = tables('varchar(100)', (hex) => `convert(x'${hex}' using utf8mb4)`);
    return mysqlShop(url, { sql, registryText: REGISTRY }, atTheEnd);
  },
};

interface World {
  ask(aql: object): Promise<Answer>;
  deploy(policies: string[]): Promise<Answer>;
}

async function openWorld(ground: Ground, atTheEnd: AtTheEnd): Promise<World> {
  const g = await governed(ground, {}, atTheEnd);
  expect(await g.deploy([ALLOW, MASK])).toMatchObject({ status: 201 });
  const token = await g.user({ email: 'mallory@acme.test', roles: ['analyst'] });
  return {
    deploy: (policies) => g.deploy(policies),
    async ask(aql) {
      const asked = await g.call(token, 'POST', '/orgs/acme/requests', { aql });
      if (asked.body.status !== 'granted') return asked;
      return g.call(token, 'POST', `/orgs/acme/grants/${asked.body.grant_ref}/fetch`, {});
    },
  };
}

const notes = (more: object) => ({ source_table: 'notes', columns: ['id'], ...more });
const eq = (field: string, value: unknown) =>
  notes({ filters: [{ operator: 'eq', field, value }] });
const count = (alias: string) => ({ func: 'count', field: '*', alias });
const LONG = 'x'.repeat(10_000);

/** What is refused, by its form or since there is no such name. */
const REFUSED: Record<string, [refusal: 'validation' | 'unknown_field', aql: object][]> = {
  'names of 10,000 characters': [
    ['validation', notes({ columns: [LONG] })],
    ['validation', { source_table: LONG, columns: ['id'] }],
    ['validation', eq(LONG, 1)],
    ['validation', notes({ order_by: { column: LONG } })],
    ['validation', notes({ group_by: [LONG] })],
    ['validation', { source_table: 'notes', aggregates: [count(LONG)] }],
    ['validation', { source_table: 'notes', aggregates: [{ func: 'max', field: LONG }] }],
    ['validation', { source_table: 'notes', aggregates: [{ func: LONG, field: 'id' }] }],
    ['validation', notes({ joins: [{ table: LONG, left_field: 'id', right_field: 'id' }] })],
    [
      'validation',
      notes({ joins: [{ table: 't2', alias: LONG, left_field: 'id', right_field: 'c1' }] }),
    ],
    ['validation', { ...notes({}), having: [{ operator: 'gt', field: `SUM(${LONG})`, value: 1 }] }],
    ['validation', notes({ [LONG]: 1 })],
    ['unknown_field', notes({ columns: [LONG.slice(0, 1000)] })],
    ['unknown_field', { source_table: LONG.slice(0, 1000), columns: ['id'] }],
    ['unknown_field', notes({ columns: [`${'notes.'.repeat(150)}id`] })],
  ],
  'names that look like others': [
    ...[
      'b\u043edy',
      '\uff42ody',
      'body\u200b',
      'bo\u00addy',
      'body\u0301',
      'bo\u0064\u0443',
      '\u202ebody',
    ],
    ...['body\u00a0', ' body', 'body ', 'body\t', 'b\u00f8dy', '\u0131d', '\u2148d', 'id\ufe0f'],
  ].map((name) => ['unknown_field', notes({ columns: [name] })]),
  'names in quotes, of other schemas, or with more behind them': [
    ...[
      '"body"',
      '`body`',
      '[body]',
      "'body'",
      'notes."body"',
      '"notes"."body"',
      'notes.notes.body',
    ],
    ...[
      'public.notes.body',
      'main.notes.body',
      'body AS x',
      'body,secret',
      '(body)',
      'body--',
      'body;',
    ],
    ...[
      'BODY\\',
      'body::text',
      'body COLLATE "C"',
      '*.*',
      'notes.',
      '.body',
      '.',
      '..',
      't1.body',
      'raw.secret',
    ],
  ].map((name) => ['unknown_field', notes({ columns: [name] })]),
  'tables in quotes or of other schemas': [
    ...[
      '"notes"',
      '`notes`',
      '[notes]',
      'main.notes',
      'public.notes',
      'notes n',
      'notes.notes',
      'temp.notes',
    ],
    ...[
      'information_schema.tables',
      'pg_catalog.pg_class',
      'sqlite_master',
      'mysql.user',
      'n\u043etes',
    ],
  ].map((name) => ['unknown_field', { source_table: name, columns: ['id'] }]),
  'NUL and half characters': [
    ...['a\0b', '\0', 'plain\0', '\ud800', 'x\udc00y', '\udfff\ud800'].flatMap(
      (text): ['validation', object][] => [
        ['validation', eq('body', text)],
        ['validation', notes({ filters: [{ operator: 'like', field: 'body', value: text }] })],
        ['validation', notes({ filters: [{ operator: 'in', field: 'body', value: ['x', text] }] })],
        ['validation', notes({ columns: [text] })],
        ['validation', { source_table: text, columns: ['id'] }],
        ['validation', { source_table: 'notes', aggregates: [count(text)] }],
        ['validation', notes({ having: [{ operator: 'gt', field: `COUNT(${text})`, value: 1 }] })],
      ],
    ),
  ],
  'texts that are no whole numbers': [
    ...[
      '',
      ' 1',
      '1 ',
      '+1',
      '1.0',
      '1e0',
      '0x1',
      '0b1',
      '1_0',
      "1'",
      '1;',
      '1--',
      '--1',
      'one',
      'NaN',
    ],
    ...[
      'Infinity',
      '-',
      '\u0661',
      '\uff11',
      '\u00b9',
      '9223372036854775808000',
      '-9223372036854775809',
    ],
    ...['1\u200b', '1\n', '1,0', 'TRUE', 'null', '(1)'],
  ].map((value) => ['validation', eq('id', value)]),
  'values of another type': [
    ...[0, 1, true, false, {}, { eq: 1 }, [], [['plain']], ['plain'], { toString: 'x' }].map(
      (value): ['validation', object] => ['validation', eq('body', value)],
    ),
    ...[true, {}, [1], [[1]], 1.5, 1e300, '1e300'].map((value): ['validation', object] => [
      'validation',
      eq('id', value),
    ]),
  ],
  'aliases that stand twice': [
    ['validation', { source_table: 'notes', aggregates: [count('n'), count('n')] }],
    ['validation', { source_table: 'notes', columns: ['id'], aggregates: [count('id')] }],
    ['validation', notes({ columns: ['id', 'id'] })],
    [
      'validation',
      {
        source_table: 'notes',
        columns: ['body'],
        aggregates: [{ func: 'max', field: 'id', alias: 'body' }],
      },
    ],
    ...['notes', 'NOTES', 'Other'].map((alias): ['validation', object] => [
      'validation',
      notes({
        columns: ['notes.id'],
        joins: [
          { table: 't2', alias, left_field: 'notes.id', right_field: `${alias}.c1` },
          { table: 't2', alias: 'other', left_field: 'notes.id', right_field: 'other.c1' },
        ],
      }),
    ]),
  ],
  'pages that are none': [
    ...[-1, 1.5, '1', '0', 1e21, [], {}, true].flatMap((page): ['validation', object][] => [
      ['validation', notes({ offset: page })],
      ...(JSON.stringify(page) === '[]'
        ? []
        : [['validation', notes({ limit: page })] as ['validation', object]]),
    ]),
  ],
};

describe.each(Object.entries(GROUNDS))('on %s', (_engine, openGround) => {
  const world = shared<{ opened: World | string }>(async (atTheEnd) => {
    const ground = await openGround(atTheEnd);
    return { opened: typeof ground === 'string' ? ground : await openWorld(ground, atTheEnd) };
  });
  const worldOf = (context: TestContext): World => {
    const { opened } = world();
    return typeof opened === 'string' ? context.skip(opened) : opened;
  };

  it('refuses names and values that could be taken for others', async (context) => {
    const { ask } = worldOf(context);
    const queries = Object.entries(REFUSED).flatMap(([what, cases]) =>
      cases.map(([refusal, aql]) => ({ what, refusal, aql })),
    );
    const answers = await mapAtOnce(queries, ({ aql }) => ask(aql));
    const wrong = queries.flatMap(({ what, refusal, aql }, index) => {
      const { status, body } = answers[index] as Answer;
      const isRight = body.type === refusal && status === (refusal === 'validation' ? 400 : 200);
      return isRight ? [] : [{ what, aql: JSON.stringify(aql).slice(0, 200), status, body }];
    });
    expect(wrong).toEqual([]);
  });

  it('finds each text by itself alone', async (context) => {
    const { ask } = worldOf(context);
    const queries = BODIES.flatMap((body, index) => {
      const pattern = body.replace(/[%_\\]/g, '\\$&');
      const values = { eq: body, in: [body, 'nothing'], between: [body, body], like: pattern };
      return Object.entries(values).map(([operator, value]) => ({
        filter: { operator, field: 'body', value },
        rows: [{ id: index + 1 }],
      }));
    });
    const answers = await mapAtOnce(queries, ({ filter }) => ask(notes({ filters: [filter] })));
    const found = queries.map(({ filter }, index) => ({ filter, rows: answers[index]?.body.rows }));
    expect(found).toEqual(queries);
  });

  it('keeps names of its own apart from those of tables, fields and aliases', async (context) => {
    const { ask } = worldOf(context);
    const answer = await ask({
      source_table: 'notes',
      columns: ['raw.c1', 'raw.t1', 'raw.raw', 'c2.raw'],
      joins: [
        { table: 't2', alias: 'raw', left_field: 'notes.id', right_field: 'raw.c1' },
        { table: 't2', alias: 'c2', left_field: 'raw.c1', right_field: 'c2.c1' },
      ],
      order_by: { column: 'raw.c1' },
    });
    expect(answer.body.rows).toEqual([
      { c1: 1, t1: 'one', 'raw.raw': '*****', 'c2.raw': '*****' },
      { c1: 2, t1: 'two', 'raw.raw': '*****', 'c2.raw': '*****' },
    ]);
    const aliases = [
      'c1',
      't1',
      'raw',
      't1.raw',
      'raw.raw',
      '"c1"',
      'secret',
      'notes.secret',
      '__proto__',
    ];
    const aggregates = aliases.map((alias) => ({ func: 'max', field: 'secret', alias }));
    const masked = await ask({ source_table: 'notes', aggregates });
    expect(masked.body.rows).toEqual([Object.fromEntries(aliases.map((name) => [name, '*****']))]);
  });

  it('no page reaches beyond max_rows', async (context) => {
    const { ask, deploy } = worldOf(context);
    await deploy([AT_MOST_TWO, MASK]);
    const pages = [0, 1, 2, 3, 10, 1000, 1_000_000_000].flatMap((offset) =>
      [undefined, 0, 1, 2, 3, 100, 1_000_000_000].map((limit) => ({ offset, limit })),
    );
    const answers = await mapAtOnce(pages, (page) =>
      ask(notes({ ...page, order_by: { column: 'id' } })),
    );
    const seen = new Set<unknown>();
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      for (const row of body.rows as { id: number }[]) seen.add(row.id);
    }
    expect(seen).toEqual(new Set([1, 2]));
    // Behind it every page says the same, so that nobody counts what is there by paging.
    const behind = answers.filter((_answer, index) => (pages[index]?.offset ?? 0) >= 2);
    const said = new Set(behind.map(({ body }) => JSON.stringify([body.rows, body.meta])));
    expect(
      new Set(behind.map(({ body }) => (body.meta as { truncated: boolean }).truncated)),
    ).toEqual(new Set([true]));
    expect(said.size).toBe(1);
  });
});
