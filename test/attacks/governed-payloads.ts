import { expect, onTestFinished } from 'vitest';
import { type Answer, type Governed, type Ground, governed } from '../helpers/governed.js';
import { AT_ONCE } from './at-once.js';
import {
  type AttackedEngine,
  type Payload,
  type Place,
  RIGHT_GUESS,
  SECRET,
} from './payload-model.js';
import { queryWith } from './query-with.js';

const ALLOW_NOTES = 'id: allow_notes\nmatch: {dataset: notes}\naction: {allow: true}\n';
const DENY_CANARY =
  'id: deny_canary\nmatch: {dataset: canary}\naction: {deny: true, reason: Not for anybody}\n';

const REQUESTERS = 4;
/** Texts of one query that takes many. */
const TOGETHER = 40;
const FIRST_ID = 100;
const ALIAS_CHARACTERS_MAX = 128;

export interface Attacked {
  g: Governed;
  tokens: string[];
  /** Posts a body and reads the answer. */
  post(token: string, path: string, body: object): Promise<Answer>;
}

/** A server over a database of which `notes` alone is open. */
export async function openGoverned(ground: Ground): Promise<Attacked> {
  const g = await governed(ground, {}, onTestFinished, false);
  expect(await g.deploy([ALLOW_NOTES, DENY_CANARY])).toMatchObject({ status: 201 });
  const tokens: string[] = [];
  for (let number = 1; number <= REQUESTERS; number += 1) {
    tokens.push(await g.user({ email: `mallory${number}@acme.test`, roles: ['analyst'] }));
  }
  return { g, tokens, post: (token, path, body) => g.call(token, 'POST', path, body) };
}

/** Whole answer of a query: that of the request where it is refused, else that of the fetch. */
async function answerTo({ post }: Attacked, token: string, aql: object): Promise<Answer> {
  const asked = await post(token, '/orgs/acme/requests', { aql });
  if (asked.body.status !== 'granted') return asked;
  return post(token, `/orgs/acme/grants/${asked.body.grant_ref}/fetch`, {});
}

/** The same server behind a port of its own, asked by HTTP. */
export async function overHttp(attacked: Attacked): Promise<Attacked> {
  const url = await attacked.g.server.listen({ host: '127.0.0.1', port: 0 });
  return {
    ...attacked,
    async post(token, path, body) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const init = { method: 'POST', headers, body: JSON.stringify(body) };
      const response = await fetch(`${url}/api/v1${path}`, init);
      return { status: response.status, body: (await response.json()) as Answer['body'] };
    },
  };
}

/** Where no text of these is ever taken; each payload is also tried in one of them. */
const REFUSING: readonly Place[] = [
  ...(['number', 'field', 'group', 'table', 'func', 'having', 'having_value'] as const),
  ...(['order', 'direction', 'limit'] as const),
];

/** What engines say of SQL that they cannot read, or refuse. */
const ENGINE_TEXT =
  /syntax error at|You have an error in your SQL|unrecognized token|incomplete input|unterminated quoted|SQLSTATE|ER_PARSE|Incorrect usage|Unknown column|no such (column|table)|relation ".*" does not/;

/**
 * Asks a server whose `notes` hold the text of each payload under the ids from 100 on: every payload by itself in the
 * places it is meant for, and many together where text is taken. Each answer is the honest one, or a refusal that is
 * vkit's own.
 */
export async function expectNoEffect(
  attacked: Attacked,
  engine: AttackedEngine,
  payloads: readonly Payload[],
): Promise<void> {
  const texts = payloads.map(({ text }) => text.replaceAll('{guess}', RIGHT_GUESS));
  const notes = [
    ...['plain', 'other', 'third'].map((body, index) => ({ id: index + 1, body })),
    ...texts.map((body, index) => ({ id: FIRST_ID + index, body })),
  ];
  const alone = payloads.flatMap(({ engines, places, habit }, index): Question[] => {
    const own = engines.includes(engine) ? places : [];
    // What is refused never reaches a database: one engine shows it for all.
    const other = REFUSING[index % REFUSING.length] as Place;
    const tried = engine === 'sqlite' ? new Set([...own, other]) : own;
    return [...tried].map((place) => {
      const text = texts[index] ?? '';
      const isJson = habit === 'formatted' && place === 'value';
      return {
        what: { place, text },
        aql: queryWith(place, text, isJson ? JSON.parse(text) : text),
        problem: (answer) =>
          isJson ? problemOfRefusal(answer, 400) : problemOf(place, text, answer, notes),
      };
    });
  });
  const wrong: unknown[] = [];
  const next = [...alone, ...together(texts, notes)].values();
  const work = async (token: string) => {
    for (const { what, aql, problem } of next) {
      const answer = await answerTo(attacked, token, aql);
      const found = problem(answer);
      if (found !== null) wrong.push({ what, found, answer });
    }
  };
  await Promise.all(
    attacked.tokens.flatMap((token) => Array.from({ length: AT_ONCE }, () => work(token))),
  );
  expect(wrong.slice(0, 5)).toEqual([]);
}

interface Question {
  what: unknown;
  aql: object;
  /** What is wrong with the answer, or null. */
  problem(answer: Answer): string | null;
}

/** All texts as values of a list, of comparisons, of patterns, and as aliases, many to a query. */
function together(texts: readonly string[], notes: Notes): Question[] {
  const rows = { source_table: 'notes', columns: ['id', 'body'], order_by: { column: 'id' } };
  const questions: Question[] = [];
  const distinct = [...new Set(texts)];
  for (let start = 0; start < distinct.length; start += TOGETHER) {
    const part = distinct.slice(start, start + TOGETHER);
    const isIn = notes.filter(({ body }) => part.includes(body));
    const ask = (what: string, filter: object, expected: Notes) =>
      questions.push({
        what: { what, part },
        aql: { ...rows, filters: [filter] },
        problem: (answer) => problemOfRows(answer, expected),
      });
    const anyOf = (operator: string, values: readonly string[]) => ({
      logic: 'OR',
      conditions: values.map((value) => ({ operator, field: 'body', value })),
    });
    ask('in', { operator: 'in', field: 'body', value: part }, isIn);
    ask('eq', anyOf('eq', part), isIn);
    const escaped = part.map((text) => text.replace(/[%_\\]/g, '\\$&'));
    ask('like', anyOf('like', escaped), isIn);
    const aliases = part.filter((text) => text.length <= ALIAS_CHARACTERS_MAX);
    questions.push({
      what: { aliases },
      aql: {
        source_table: 'notes',
        aggregates: aliases.map((alias) => ({ func: 'count', field: '*', alias })),
      },
      problem: (answer) =>
        problemOfRows(answer, [Object.fromEntries(aliases.map((alias) => [alias, notes.length]))]),
    });
  }
  return questions;
}

type Notes = readonly { id: number; body: string }[];

/** What is wrong with an answer, or null. */
function problemOf(place: Place, text: string, answer: Answer, notes: Notes): string | null {
  switch (place) {
    case 'value':
    case 'list':
      return problemOfRows(answer, notes.filter(({ body }) => body === text).slice(0, 100));
    case 'like': {
      const pattern = likePattern(text);
      if (pattern === null) return problemOfRefusal(answer, 400);
      return problemOfRows(answer, notes.filter(({ body }) => pattern.test(body)).slice(0, 100));
    }
    case 'alias':
    case 'join_alias':
      return problemOfAlias(place, text, answer, notes);
    case 'number':
    case 'having_value':
      if (/^-?\d+(\.\d+)?$/.test(text))
        return answer.status === 200 ? null : 'a number was refused';
      return problemOfRefusal(answer, 400);
    case 'func':
    case 'direction':
    case 'limit':
      return problemOfRefusal(answer, 400);
    default:
      return problemOfRefusal(answer, 200, text);
  }
}

function problemOfAlias(place: Place, text: string, answer: Answer, notes: Notes): string | null {
  if (text.length > ALIAS_CHARACTERS_MAX) return problemOfRefusal(answer, 400);
  if (place === 'join_alias') {
    if (text === 'notes') return problemOfRefusal(answer, 400);
    const rows = notes.slice(0, 5).map(({ id, body }) => ({ id, body }));
    return problemOfRows(answer, rows);
  }
  return problemOfRows(answer, [
    { kind: 'a', [text]: 1 },
    { kind: 'b', [text]: 2 },
    { kind: 'c', [text]: notes.length - 3 },
  ]);
}

function problemOfRows(answer: Answer, expected: readonly object[]): string | null {
  if (answer.status !== 200) return 'no answer';
  const { rows } = answer.body as { rows?: unknown };
  const isSame = JSON.stringify(rows) === JSON.stringify(expected);
  return isSame ? null : `not the honest rows, which are ${JSON.stringify(expected)}`;
}

/**
 * A refusal is of the query's form (400), or says that there is no such name (200, denied): that one names what was asked for,
 * as it was sent.
 */
function problemOfRefusal(
  { status, body }: Answer,
  expected: 200 | 400,
  sent?: string,
): string | null {
  const told = JSON.stringify(body);
  const text = sent === undefined ? told : told.replaceAll(JSON.stringify(sent).slice(1, -1), '');
  const isOfForm = status === 400 && body.type === 'validation';
  const isOfName = status === 200 && body.status === 'denied' && body.type === 'unknown_field';
  if (!isOfForm && (expected === 400 || !isOfName)) return 'no refusal of this kind';
  if ('grant_ref' in body || 'rows' in body) return 'a refusal with a grant or with rows';
  if (ENGINE_TEXT.test(text)) return 'the words of an engine';
  return text.includes(SECRET) ? 'the secret' : null;
}

/** A pattern of LIKE with the backslash as its escape; null where it ends in the middle of an escape. */
function likePattern(text: string): RegExp | null {
  let source = '';
  const characters = [...text];
  for (let index = 0; index < characters.length; index += 1) {
    let character = characters[index] as string;
    if (character === '%') source += '[^]*';
    else if (character === '_') source += '[^]';
    else {
      if (character === '\\') {
        index += 1;
        if (index === characters.length) return null;
        character = characters[index] as string;
      }
      source += character.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    }
  }
  return new RegExp(`^${source}$`, 'u');
}
