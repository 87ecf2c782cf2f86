import mysql from 'mysql2';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { findMysql } from '../helpers/mysql.js';
import { findPostgres } from '../helpers/postgres.js';
import { type AttackedDatabase, OPEN_ATTACKED, type Outcome } from './attacked-database.js';
import { expectNoEffect, openGoverned, overHttp } from './governed-payloads.js';
import {
  type AttackedEngine,
  type Habit,
  PAYLOADS,
  type Payload,
  RIGHT_GUESS,
  SECRET,
  WAIT_MS,
  WRONG_GUESS,
} from './payload-model.js';
import { type Condition, type Query, queryWith } from './query-with.js';

const ENGINES = ['sqlite', 'postgres', 'mysql'] as const;
const DISTINCT_MIN = 800;
/** Thousands of queries, on a machine that other tests use as well. */
const TIMEOUT_MS = 180_000;

async function urlOf(engine: AttackedEngine, context: TestContext): Promise<string> {
  if (engine === 'sqlite') return '';
  const server = await (engine === 'postgres' ? findPostgres() : findMysql());
  if (server.url === null) return context.skip(server.reason);
  return server.url;
}

it('has several hundred payloads, for every engine and place', () => {
  expect(new Set(PAYLOADS.map(({ text }) => text)).size).toBeGreaterThan(DISTINCT_MIN);
  const uses = PAYLOADS.map(({ text, engines, habit, places }) =>
    JSON.stringify([text, engines, habit, places]),
  );
  expect(uses.filter((use, index) => uses.indexOf(use) !== index)).toEqual([]);
});

describe.each(ENGINES)('on %s', (engine) => {
  const own = PAYLOADS.filter(({ engines }) => engines.includes(engine));

  it('each payload does what it is for to a builder that writes it into the SQL', async (context) => {
    const database = await OPEN_ATTACKED[engine](await urlOf(engine, context), onTestFinished);
    const idle: string[] = [];
    for (const payload of own) {
      for (const place of payload.places) {
        const run = async (text: string) => {
          const sql = buildNaively(queryWith(place, text), engine, payload.habit);
          return database.run(sql, CHARSETS[payload.habit]);
        };
        const what = JSON.stringify([place, payload.habit, payload.shows, payload.text]);
        if (!(await hasEffect(payload, run, database))) idle.push(what);
      }
    }
    expect(idle).toEqual([]);
  });

  it('harmless text does none of that', async (context) => {
    const database = await OPEN_ATTACKED[engine](await urlOf(engine, context), onTestFinished);
    const before = await database.state();
    const ways = new Map(own.flatMap((use) => use.places.map((at) => [`${use.habit} ${at}`, use])));
    for (const [way, { habit }] of ways) {
      const place = way.split(' ')[1] as Payload['places'][number];
      const text = HARMLESS[place] ?? 'nothing';
      const json = habit === 'formatted' ? JSON.stringify(text) : text;
      const { rows, error } = await database.run(
        buildNaively(queryWith(place, json), engine, habit),
        CHARSETS[habit],
      );
      const isAnswer = ['field', 'group', 'alias', 'join_alias', 'table', 'func', 'order'];
      const expected = isAnswer.includes(place) || ['direction', 'limit'].includes(place);
      expect([way, error, rows.length > 0]).toEqual([way, null, expected]);
      expect(JSON.stringify(rows)).not.toContain(SECRET);
    }
    expect(await database.state()).toEqual(before);
  });

  it('no payload does anything to vkit', { timeout: TIMEOUT_MS }, async (context) => {
    const bodies = PAYLOADS.map(rightText);
    const database = await OPEN_ATTACKED[engine](
      await urlOf(engine, context),
      onTestFinished,
      bodies,
    );
    const before = await database.state();
    await expectNoEffect(await openGoverned(database.ground), engine, PAYLOADS);
    expect(await database.state()).toEqual(before);
  });
});

it('no payload does anything to vkit over a real connection', async () => {
  const ofEachTechnique = new Map(PAYLOADS.map((payload) => [payload.technique, payload]));
  const payloads = [...ofEachTechnique.values()];
  const bodies = payloads.map(rightText);
  const database = await OPEN_ATTACKED.sqlite('', onTestFinished, bodies);
  const before = await database.state();
  const attacked = await overHttp(await openGoverned(database.ground));
  await expectNoEffect(attacked, 'sqlite', payloads);
  expect(await database.state()).toEqual(before);
});

/** What the places take that take no `nothing`. */
const HARMLESS: Partial<Record<Payload['places'][number], string>> = {
  number: '0',
  alias: 'label',
  join_alias: 'other',
  field: 'body',
  group: 'kind',
  table: 'notes',
  func: 'max',
  having: 'COUNT(*)',
  having_value: '100',
  order: 'id',
  direction: 'DESC',
  limit: '2',
};

function rightText({ text }: Payload): string {
  return text.replaceAll('{guess}', RIGHT_GUESS);
}

async function hasEffect(
  payload: Payload,
  run: (text: string) => Promise<Outcome>,
  database: AttackedDatabase,
): Promise<boolean> {
  const pattern = payload.pattern ?? new RegExp(SECRET);
  const before = payload.shows === 'writes' ? await database.state() : null;
  const outcome = await run(rightText(payload));
  const { rows, error, tookMs } = outcome;
  switch (payload.shows) {
    case 'rows':
      return rows.length > 0;
    case 'leaks':
      return pattern.test(JSON.stringify(rows));
    case 'breaks':
      return error?.isSyntax === true;
    case 'tells_in_error':
      return error !== null && !error.isSyntax && pattern.test(error.message);
    case 'waits':
      return tookMs >= WAIT_MS;
    case 'tells': {
      const wrong = await run(payload.text.replaceAll('{guess}', WRONG_GUESS));
      const answer = ({ rows, error }: Outcome) => JSON.stringify([rows, error]);
      return answer(outcome) !== answer(wrong);
    }
    case 'writes': {
      const after = await database.state();
      await database.reset();
      return JSON.stringify(after) !== JSON.stringify(before);
    }
  }
}

/** The character set of the connection of a habit, where it has one. */
const CHARSETS: Partial<Record<Habit, string>> = {
  slashed_gbk: 'gbk',
  slashed_big5: 'big5',
  slashed_sjis: 'sjis',
};

/** A builder of SQL as it should not be: names and values are written into the text, by one careless habit or another. */
function buildNaively(query: Query, engine: AttackedEngine, habit: Habit): string {
  const name = (text: string) => naiveName(text, engine, habit);
  const where = ({ operator, field, value }: Condition) => {
    if (field === 'id') return `${name(field)} = ${value}`;
    const values = [value].flat().map((one) => naiveValue(one, habit));
    if (operator === 'in') return `${name(field)} IN (${values.join(', ')})`;
    return `${name(field)} ${operator === 'like' ? 'LIKE' : '='} ${values[0]}`;
  };
  const outputs = [
    ...(query.columns ?? []).map((column) =>
      column === '*' ? '*' : column.split('.').map(name).join('.'),
    ),
    ...(query.aggregates ?? []).map((one) => `${one.func}(${one.field}) AS ${name(one.alias)}`),
  ];
  const joins = (query.joins ?? []).map(({ table, alias }) => {
    const on = `${name(query.source_table)}.${name('id')} = ${name(alias)}.${name('id')}`;
    return `JOIN ${name(table)} AS ${name(alias)} ON ${on}`;
  });
  const having = (query.having ?? []).map(({ field, value }) => `${field} > ${value}`);
  const order = query.order_by;
  return [
    `SELECT ${outputs.join(', ')} FROM ${name(query.source_table)}`,
    ...joins,
    ...(query.filters ? [`WHERE ${query.filters.map(where).join(' AND ')}`] : []),
    ...(query.group_by ? [`GROUP BY ${query.group_by.map(name).join(', ')}`] : []),
    ...(having.length > 0 ? [`HAVING ${having.join(' AND ')}`] : []),
    ...(order ? [`ORDER BY ${name(order.column)} ${order.direction ?? 'ASC'}`] : []),
    ...(query.limit === undefined ? [] : [`LIMIT ${query.limit}`]),
  ].join(' ');
}

function naiveName(text: string, engine: AttackedEngine, habit: Habit): string {
  if (habit === 'bracketed_names') return `[${text}]`;
  if (habit !== 'quoted_names') return text;
  return engine === 'mysql' ? `\`${text}\`` : `"${text}"`;
}

const COLUMN_CHARACTERS = 32;
const WORDS_OF_SQL = /union|select|from|where|or|--|\/\*\*\//gi;

function naiveValue(value: unknown, habit: Habit): string {
  const text = String(value);
  const doubled = text.replaceAll("'", "''");
  switch (habit) {
    case 'doubled':
      return `'${doubled}'`;
    case 'slashed':
    case 'slashed_gbk':
    case 'slashed_big5':
    case 'slashed_sjis':
      return `'${text.replace(/['"\\]/g, '\\$&')}'`;
    case 'doubled_then_folded':
      return `'${doubled.normalize('NFKC')}'`;
    case 'doubled_then_decoded':
      return `'${decoded(decoded(doubled))}'`;
    case 'doubled_then_cut':
      return `'${doubled.slice(0, COLUMN_CHARACTERS)}'`;
    case 'stripped':
      return `'${text.replace(WORDS_OF_SQL, '')}'`;
    case 'dollar_quoted':
      return `$$${text}$$`;
    case 'escape_string':
      return `E'${doubled}'`;
    case 'formatted':
      return mysql.format('?', [JSON.parse(text)]);
    default:
      return `'${text}'`;
  }
}

/** Decodes what browsers, pages and scripts encode. */
function decoded(text: string): string {
  const character = (digits: string, base: number) =>
    String.fromCodePoint(Number.parseInt(digits, base));
  return text
    .replace(/%([0-9a-f]{2})/gi, (_, digits: string) => character(digits, 16))
    .replaceAll('&amp;', '&')
    .replaceAll('&apos;', "'")
    .replace(/&#x([0-9a-f]+);/gi, (_, digits: string) => character(digits, 16))
    .replace(/&#(\d+);/g, (_, digits: string) => character(digits, 10))
    .replace(/\\(?:u\{?|x)([0-9a-f]{2,4})\}?/gi, (_, digits: string) => character(digits, 16));
}
