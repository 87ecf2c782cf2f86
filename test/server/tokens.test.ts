import { beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { type Governed, type Ground, governed } from '../helpers/governed.js';
import { findMysql, type MysqlServer } from '../helpers/mysql.js';
import { findPostgres, type PostgresServer } from '../helpers/postgres.js';
import { mysqlShop, postgresShop, SHOP_REGISTRY, sqliteShop } from '../helpers/shop.js';

const ALLOW = 'id: allow_all\naction: {allow: true}\n';
const tokenize = (fields: string) =>
  `id: tokens\nmatch: {fields: {any: [${fields}]}}\naction: {mask: true, mask_type: tokenize}\n`;

/** A second table with mails of the same people, in other letters and spaces too, and without a primary key. */
const LOGINS = `
create table logins (mail text, people integer);
insert into logins values ('zoe@example.com', 1), ('mia@example.com', 2), ('MIA@example.com', 3), ('zoe@example.com ', 4), (null, 5);
`;
const REGISTRY = `${SHOP_REGISTRY}
logins:
  datasource: shop
  fields:
    mail: {type: text, sensitivity: medium, category: pii, classification: email}
    people: {type: integer, sensitivity: low, category: internal}
`;

const GROUNDS: { name: string; ground: (sql?: string) => Promise<Ground> }[] = [
  {
    name: 'sqlite',
    ground: (sql = '') => sqliteShop({ sql: LOGINS + sql, registryText: REGISTRY }),
  },
  {
    name: 'postgres',
    ground: (sql = '') =>
      postgresShop(servers.postgres?.url ?? '', { sql: LOGINS + sql, registryText: REGISTRY }),
  },
  {
    name: 'mysql',
    ground: (sql = '') =>
      mysqlShop(servers.mysql?.url ?? '', { sql: LOGINS + sql, registryText: REGISTRY }),
  },
];

let servers: Record<string, PostgresServer | MysqlServer> = {};
beforeAll(async () => {
  servers = { postgres: await findPostgres(), mysql: await findMysql() };
});

type Row = Record<string, unknown>;

interface Asker {
  ask(aql: object): Promise<{ status: number; body: Row & { grant_ref?: string } }>;
  fetch(aql: object): Promise<{ rows: Row[]; meta: { columns: Row[]; masked_fields: string[] } }>;
  rows(aql: object): Promise<Row[]>;
}

async function asker(g: Governed): Promise<Asker> {
  const user = await g.user({ email: 'ana@acme.test', roles: ['analyst'] });
  const ask: Asker['ask'] = (aql) => g.call(user, 'POST', '/orgs/acme/requests', { aql });
  const fetch: Asker['fetch'] = async (aql) => {
    const { body } = await ask(aql);
    if (body.status !== 'granted') throw new Error(JSON.stringify(body));
    const path = `/orgs/acme/grants/${body.grant_ref}/fetch`;
    const answer = await g.call<Awaited<ReturnType<Asker['fetch']>>>(user, 'POST', path, {});
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
    return answer.body;
  };
  return { ask, fetch, rows: async (aql) => (await fetch(aql)).rows };
}

const MAILS = { source_table: 'customers', columns: ['id', 'email'], order_by: { column: 'id' } };
const LOGIN_MAILS = {
  source_table: 'logins',
  columns: ['people', 'mail'],
  order_by: { column: 'people' },
};
const TOKEN = /^tok_1_[A-Za-z0-9_-]{43,}$/;

describe.each(GROUNDS)('tokens on $name', ({ name, ground }) => {
  const world = async (context: TestContext, sql?: string): Promise<[Governed, Asker]> => {
    const server = servers[name];
    if (server?.url === null) context.skip(server.reason);
    const g = await governed(await ground(sql));
    await g.deploy([ALLOW, tokenize('email, mail, ssn, purchase_amount')]);
    return [g, await asker(g)];
  };

  it('stand for the same value in every table, and NULL stays NULL', async (context) => {
    const [, ana] = await world(context);
    const { rows, meta } = await ana.fetch(MAILS);
    expect(meta.columns[1]).toEqual({ name: 'email', type: 'text', masked: 'tokenize' });
    expect(meta.masked_fields).toEqual(['email']);
    const [zoe, mia, none, adele] = rows.map((row) => row.email);
    expect([zoe, mia, adele].every((one) => TOKEN.test(String(one)))).toBe(true);
    expect(none).toBeNull();
    const logins = (await ana.rows(LOGIN_MAILS)).map((row) => row.mail);
    expect(logins.slice(0, 2)).toEqual([zoe, mia]);
    expect(new Set([...logins.slice(0, 4), adele]).size).toBe(5);
    expect(logins[4]).toBeNull();
  });

  it('are made per classification, and for numbers of their decimal text', async (context) => {
    const [, ana] = await world(context, "insert into orders values (103, 4, 1, 'x');");
    const rows = await ana.rows({
      source_table: 'customers',
      columns: ['id', 'ssn', 'purchase_amount'],
      order_by: { column: 'id' },
      filters: [{ operator: 'lte', field: 'id', value: 2 }],
    });
    for (const row of rows) {
      expect(row.ssn).toMatch(TOKEN);
      expect(row.purchase_amount).toMatch(TOKEN);
    }
    const byToken = await ana.rows({
      source_table: 'customers',
      columns: ['id'],
      filters: [{ operator: 'eq', field: 'purchase_amount', value: rows[1]?.purchase_amount }],
    });
    expect(byToken).toEqual([{ id: 2 }]);
    const crossed = await ana.ask({
      source_table: 'customers',
      columns: ['id'],
      filters: [{ operator: 'eq', field: 'ssn', value: rows[1]?.purchase_amount }],
    });
    expect(crossed).toMatchObject({ status: 400, body: { type: 'validation' } });
  });

  it('filter, join, group and count', async (context) => {
    const [, ana] = await world(context);
    const mails = (await ana.rows(MAILS)).map((row) => String(row.email));
    const people = async (operator: string, value: unknown) =>
      (await ana.rows({ ...LOGIN_MAILS, filters: [{ operator, field: 'mail', value }] })).map(
        (row) => row.people,
      );
    expect(await people('eq', mails[0])).toEqual([1]);
    expect(await people('neq', mails[0])).toEqual([2, 3, 4]);
    expect(await people('in', [mails[0], mails[1], mails[3]])).toEqual([1, 2]);
    expect(await people('not_in', [mails[0], mails[1]])).toEqual([3, 4]);
    const joined = await ana.rows({
      source_table: 'customers',
      columns: ['customers.id', 'logins.people', 'logins.mail'],
      joins: [
        {
          type: 'INNER',
          table: 'logins',
          left_field: 'customers.email',
          right_field: 'logins.mail',
        },
      ],
      order_by: { column: 'customers.id' },
    });
    expect(joined).toEqual([
      { id: 1, people: 1, mail: mails[0] },
      { id: 2, people: 2, mail: mails[1] },
    ]);
    const groups = await ana.rows({
      source_table: 'logins',
      columns: ['mail'],
      aggregates: [{ func: 'count', field: '*', alias: 'n' }],
    });
    expect(groups).toHaveLength(5);
    expect(groups.filter(({ mail }) => mail === mails[0])).toEqual([{ mail: mails[0], n: 1 }]);
    const [counted] = await ana.rows({
      source_table: 'logins',
      aggregates: [
        { func: 'count_distinct', field: 'mail', alias: 'mails' },
        { func: 'count', field: 'mail', alias: 'n' },
      ],
    });
    expect(counted).toEqual({ mails: 4, n: 4 });
  });

  it('that are forged, cut or of another server are a validation error', async (context) => {
    const [, ana] = await world(context);
    const [, stranger] = await world(context);
    const foreign = String((await stranger.rows(MAILS))[0]?.email);
    const own = String((await ana.rows(MAILS))[0]?.email);
    for (const value of [
      foreign,
      own.slice(0, -1),
      `${own}A`,
      own.replace('tok_1', 'tok_2'),
      'x',
    ]) {
      const filters = [{ operator: 'eq', field: 'email', value }];
      const { status, body } = await ana.ask({ ...MAILS, filters });
      expect(status, value).toBe(400);
      expect(body).toMatchObject({
        type: 'validation',
        details: { problems: [{ pointer: '/aql/filters/0/value', code: 'value' }] },
      });
      expect(JSON.stringify(body)).not.toContain('zoe');
    }
  });

  it('come in an order that does not follow their values, and is the same at every fetch', async (context) => {
    const mails = Array.from({ length: 12 }, (_, index) => `('m${10 + index}', ${100 + index})`);
    const [, ana] = await world(context, `insert into logins values ${mails.join(', ')};`);
    const byMail = new Map((await ana.rows(LOGIN_MAILS)).map((row) => [row.mail, row.people]));
    const order = async (): Promise<unknown[]> => {
      const page = { source_table: 'logins', columns: ['mail'], limit: 20 };
      return (await ana.rows(page)).map(({ mail }) => byMail.get(mail));
    };
    const orders = [await order(), await order(), await order()];
    // NULL is last; each grant has an order of its own.
    for (const one of orders) expect(one.at(-1)).toBe(5);
    expect(new Set(orders.map((one) => JSON.stringify(one))).size).toBe(3);
    const sorted = [...(orders[0] ?? [])].sort();
    expect(orders.every((one) => JSON.stringify(one) === JSON.stringify(sorted))).toBe(false);
  });
});
