import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { type Governed, type Ground, governed } from '../helpers/governed.js';
import { findMysql, type MysqlServer } from '../helpers/mysql.js';
import { findPostgres, type PostgresServer } from '../helpers/postgres.js';
import { mysqlShop, postgresShop, sqliteShop } from '../helpers/shop.js';

const sha = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

const ALLOW = 'id: allow_all\naction: {allow: true}\n';
const mask = (method: string, fields: string) =>
  `id: mask_${method}\nmatch: {fields: {any: [${fields}]}}\naction: {mask: true, mask_type: ${method}}\n`;

/** The hidden values of one database are those of the other turned around: an index on them reads in another order. */
const TURNED = `
update customers set email = 'zzz' where id = 1;
update customers set email = 'aaa' where id = 4;
update customers set email = 'mmm' where id = 3;
update customers set email = null where id = 2;
update orders set card = case id when 100 then '3' when 101 then '2' else '1' end;
`;

const ENGINES: { name: string; ground: (sql?: string) => Promise<Ground> }[] = [
  { name: 'sqlite', ground: (sql) => sqliteShop(sql === undefined ? {} : { sql }) },
  {
    name: 'postgres',
    ground: (sql) => postgresShop(servers.postgres?.url ?? '', sql === undefined ? {} : { sql }),
  },
  {
    name: 'mysql',
    ground: (sql) => mysqlShop(servers.mysql?.url ?? '', sql === undefined ? {} : { sql }),
  },
];

let servers: Record<string, PostgresServer | MysqlServer> = {};
beforeAll(async () => {
  servers = { postgres: await findPostgres(), mysql: await findMysql() };
});

async function rowsOf(g: Governed, aql: object): Promise<unknown[]> {
  const user = await g.user({
    email: `u${Math.abs(hash(JSON.stringify(aql)))}@acme.test`,
    roles: ['analyst'],
  });
  const asked = await g.call(user, 'POST', '/orgs/acme/requests', { aql });
  if (asked.body.status !== 'granted') throw new Error(JSON.stringify(asked));
  const { body } = await g.call<{ rows: unknown[] }>(
    user,
    'POST',
    `/orgs/acme/grants/${asked.body.grant_ref}/fetch`,
    {},
  );
  if (!body.rows) throw new Error(JSON.stringify(body));
  return body.rows;
}

function hash(text: string): number {
  return [...text].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) | 0, 7);
}

const QUERIES: { name: string; aql: object }[] = [
  { name: 'no order', aql: { source_table: 'customers', columns: ['email', 'country'] } },
  { name: 'only the masked column', aql: { source_table: 'customers', columns: ['email'] } },
  { name: 'a page', aql: { source_table: 'customers', columns: ['id'], limit: 2, offset: 1 } },
  {
    name: 'a filter on the masked column',
    aql: {
      source_table: 'customers',
      columns: ['id'],
      filters: [{ operator: 'gt', field: 'email', value: '!' }],
    },
  },
  {
    name: 'an order by the masked column',
    aql: { source_table: 'customers', columns: ['id', 'email'], order_by: { column: 'email' } },
  },
  {
    name: 'a group by the masked column',
    aql: {
      source_table: 'customers',
      columns: ['email'],
      aggregates: [{ func: 'count', field: '*' }],
    },
  },
  {
    name: 'a join',
    aql: {
      source_table: 'orders',
      columns: ['orders.id', 'customers.email', 'orders.card'],
      joins: [
        {
          type: 'LEFT',
          table: 'customers',
          left_field: 'orders.customer_id',
          right_field: 'customers.id',
        },
      ],
    },
  },
  {
    name: 'least and greatest',
    aql: {
      source_table: 'customers',
      aggregates: [
        { func: 'min', field: 'email' },
        { func: 'max', field: 'email' },
        { func: 'count_distinct', field: 'email' },
      ],
    },
  },
];

describe.each(ENGINES)('on $name', ({ name, ground }) => {
  const skipWithout = (context: TestContext): void => {
    const server = servers[name];
    if (server?.url === null) context.skip(server.reason);
  };

  it('two databases that differ in hidden values answer alike', async (context) => {
    skipWithout(context);
    const policies = [ALLOW, mask('full', 'email'), mask('nullify', 'card')];
    const one = await governed(await ground());
    const other = await governed(await ground(TURNED));
    await one.deploy(policies);
    await other.deploy(policies);
    for (const { name: query, aql } of QUERIES) {
      const rows = await rowsOf(one, aql);
      expect(rows.length, query).toBeGreaterThan(0);
      expect(await rowsOf(other, aql), query).toEqual(rows);
    }
  });

  it('counts no masked value where a left join found nothing', async (context) => {
    skipWithout(context);
    const g = await governed(await ground());
    await g.deploy([ALLOW, mask('full', 'card')]);
    const aql = {
      source_table: 'customers',
      columns: ['customers.id'],
      joins: [
        {
          type: 'LEFT',
          table: 'orders',
          left_field: 'customers.id',
          right_field: 'orders.customer_id',
        },
      ],
      aggregates: [{ func: 'count', field: 'orders.card', alias: 'cards' }],
      order_by: { column: 'customers.id' },
    };
    expect(await rowsOf(g, aql)).toEqual([
      { id: 1, cards: 2 },
      { id: 2, cards: 1 },
      { id: 3, cards: 0 },
      { id: 4, cards: 0 },
    ]);
  });

  it('gives hand-written rows under every mask', async (context) => {
    skipWithout(context);
    const edge = `
      insert into customers values (5, 15, '', 'é', 'x', -0.50), (6, 16, '日本語テキスト', 'FR', '12345', 100.00), (7, 17, 'a', 'IT', '1234567', 0);
    `;
    const aql = {
      source_table: 'customers',
      columns: ['id', 'email', 'country', 'ssn', 'purchase_amount'],
      order_by: { column: 'id' },
    };
    const g = await governed(await ground(edge));
    await g.deploy([
      ALLOW,
      mask('partial', 'email'),
      mask('hash', 'ssn, purchase_amount'),
      mask('full', 'country'),
    ]);
    expect(await rowsOf(g, aql)).toEqual([
      {
        id: 1,
        email: 'zoe****',
        country: '*****',
        ssn: sha('078-05-1120'),
        purchase_amount: sha('12.5'),
      },
      {
        id: 2,
        email: 'mia****',
        country: '*****',
        ssn: sha('219-09-9999'),
        purchase_amount: sha('99'),
      },
      { id: 3, email: null, country: '*****', ssn: null, purchase_amount: null },
      { id: 4, email: 'äde****', country: '*****', ssn: sha(''), purchase_amount: sha('7.25') },
      { id: 5, email: '****', country: '*****', ssn: sha('x'), purchase_amount: sha('-0.5') },
      {
        id: 6,
        email: '日本語****',
        country: '*****',
        ssn: sha('12345'),
        purchase_amount: sha('100'),
      },
      { id: 7, email: '****', country: '*****', ssn: sha('1234567'), purchase_amount: sha('0') },
    ]);
  });

  it('refuses what was changed since it was reviewed', async (context) => {
    skipWithout(context);
    const g = await governed(await ground('alter table orders rename column amount to total;'), {});
    const deployed = await g.deploy([ALLOW]);
    expect(deployed.status).toBe(201);
    const user = await g.user({ email: 'ann@acme.test', roles: ['analyst'] });
    const asked = await g.call(user, 'POST', '/orgs/acme/requests', {
      aql: { source_table: 'orders', columns: ['amount'] },
    });
    // The lock never saw the column, so the bundle does not hold it.
    expect(asked.body).toMatchObject({ status: 'denied', type: 'unknown_field' });
  });
});
