import { expect, it } from 'vitest';
import { type Governed, governed } from '../helpers/governed.js';
import { shared } from '../helpers/shared.js';
import { sqliteShop } from '../helpers/shop.js';

const ALLOW = 'id: allow_customers\nmatch: {dataset: customers}\naction: {allow: true}\n';

/** Names that every object of JavaScript has, or that reach what it is made from. */
const INHERITED = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty'],
  ...['__defineGetter__', '__lookupSetter__', 'isPrototypeOf', 'then', 'toJSON', 'length'],
];

const world = shared<{ g: Governed; token: string }>(async (atTheEnd) => {
  const g = await governed(await sqliteShop({}, atTheEnd), {}, atTheEnd);
  await g.deploy([ALLOW]);
  return { g, token: await g.user({ email: 'mallory@acme.test', roles: ['analyst'] }) };
});

/** Sends JSON as it is written, and answers with the text of what comes back. */
async function post(path: string, payload: string): Promise<{ status: number; text: string }> {
  const { g, token } = world();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const url = `/api/v1/orgs/acme${path}`;
  const response = await g.server.inject({ method: 'POST', url, headers, payload });
  return { status: response.statusCode, text: response.body };
}

const AQL = '"source_table":"customers","columns":["id"]';

/** Bodies with a key that would reach a prototype if it were copied into an object. */
const REACHING = [
  `{"aql":{${AQL}},"__proto__":{"polluted":true}}`,
  `{"aql":{${AQL},"__proto__":{"polluted":true}}}`,
  `{"aql":{${AQL},"__proto__":{"limit":1}}}`,
  `{"aql":{"__proto__":{${AQL}}}}`,
  `{"aql":{${AQL},"constructor":{"prototype":{"polluted":true}}}}`,
  `{"constructor":{"prototype":{"polluted":true}},"aql":{${AQL}}}`,
  `{"aql":{${AQL},"\\u005f_proto__":{"polluted":true}}}`,
  `{"aql":{${AQL},"filters":[{"__proto__":{"operator":"eq","field":"id","value":1}}]}}`,
  `{"aql":{${AQL},"filters":[{"operator":"eq","field":"id","value":{"__proto__":1}}]}}`,
  `{"aql":{${AQL},"joins":[{"__proto__":{"table":"orders"},"left_field":"id","right_field":"id"}]}}`,
  `{"aql":{${AQL},"order_by":{"__proto__":{"column":"id"}}}}`,
  `{"aql":{${AQL}},"metadata":{"__proto__":"x"}}`,
  `{"aql":{${AQL}},"metadata":{"__proto__":{"polluted":"x"}}}`,
  `{"__proto__":{"aql":{${AQL}}}}`,
  `{"aql":{${AQL},"limit":1,"limit":100}}`,
  `{"aql":{${AQL},"columns":["id","email"]}}`,
];

it.each(REACHING)('refuses %s', async (body) => {
  const { status, text } = await post('/requests', body);
  expect([status, text]).toEqual([400, expect.stringContaining('"type":"validation"')]);
  expect(text).not.toContain('grant_ref');
  expect('polluted' in {}).toBe(false);
});

it.each(INHERITED)('takes %s for a name like any other', async (name) => {
  const denied = [
    { source_table: name, columns: ['id'] },
    { source_table: 'customers', columns: [name] },
    { source_table: 'customers', columns: [`customers.${name}`] },
    { source_table: 'customers', columns: [`${name}.id`] },
    { source_table: 'customers', columns: ['id'], order_by: { column: name } },
    { source_table: 'customers', aggregates: [{ func: 'max', field: name }] },
    {
      source_table: 'customers',
      columns: ['id'],
      filters: [{ operator: 'eq', field: name, value: 1 }],
    },
    {
      source_table: 'customers',
      columns: ['id'],
      joins: [{ table: name, left_field: 'id', right_field: 'id' }],
    },
  ];
  for (const aql of denied) {
    const { status, text } = await post('/requests', JSON.stringify({ aql }));
    expect([status, text]).toEqual([200, expect.stringContaining('"type":"unknown_field"')]);
  }
  const columns = { source_table: 'customers', columns: ['id'] };
  const refused = [
    { source_table: 'customers', aggregates: [{ func: name, field: 'id' }] },
    { ...columns, filters: [{ operator: name, field: 'id', value: 1 }] },
    { ...columns, filters: [{ logic: name, conditions: [{ operator: 'is_null', field: 'id' }] }] },
    { ...columns, order_by: { column: 'id', direction: name } },
    { ...columns, order_by: { column: 'id', nulls: name } },
    {
      ...columns,
      joins: [{ type: name, table: 'customers', left_field: 'id', right_field: 'id' }],
    },
    { ...columns, having: [{ operator: 'gt', field: `${name}(id)`, value: 1 }] },
  ];
  for (const aql of refused) {
    const { status, text } = await post('/requests', JSON.stringify({ aql }));
    const isDenied = status === 200 && text.includes('"type":"unknown_field"');
    if (!isDenied)
      expect([status, text]).toEqual([400, expect.stringContaining('"type":"validation"')]);
  }
});

it.each(INHERITED)('answers under the alias %s', async (alias) => {
  const aql = { source_table: 'customers', aggregates: [{ func: 'count', field: '*', alias }] };
  const asked = await post('/requests', JSON.stringify({ aql }));
  const { grant_ref } = JSON.parse(asked.text) as { grant_ref: string };
  const { status, text } = await post(`/grants/${grant_ref}/fetch`, '{}');
  expect([status, text]).toEqual([200, expect.stringContaining(`"rows":[{"${alias}":4}]`)]);
});
