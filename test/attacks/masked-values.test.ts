import { describe, expect, it, type TestContext } from 'vitest';
import { type Governed, type Ground, governed } from '../helpers/governed.js';
import { findMysql } from '../helpers/mysql.js';
import { findPostgres } from '../helpers/postgres.js';
import { mysqlShop, postgresShop, sqliteShop } from '../helpers/shop.js';
import { mapAtOnce } from './at-once.js';
import { NONSENSE, PROBES, type Probe } from './probes.js';

/** Hundreds of queries, on a machine that other tests use as well. */
const TIMEOUT_MS = 120_000;

const REGISTRY = `
people:
  datasource: shop
  fields:
    id: {type: integer, sensitivity: low, category: internal}
    team: {type: text, sensitivity: low, category: internal}
    mail: {type: text, sensitivity: high, category: pii}
    note: {type: text, sensitivity: high, category: pii}
    digits: {type: text, sensitivity: high, category: pii}
    code: {type: text, sensitivity: high, category: pii}
    balance: {type: bigint, sensitivity: high, category: pii}
    score: {type: double, sensitivity: high, category: pii}
    born: {type: date, sensitivity: high, category: pii}
    active: {type: boolean, sensitivity: high, category: pii}
copies:
  datasource: shop
  fields:
    id: {type: integer, sensitivity: low, category: internal}
    mail: {type: text, sensitivity: low, category: internal}
    code: {type: text, sensitivity: low, category: internal}
    amount: {type: bigint, sensitivity: low, category: internal}
`;

const TABLES = `
create table people (id integer primary key, team varchar(20), mail varchar(80), note varchar(80), digits varchar(80),
  code varchar(80), balance bigint, score double precision, born date, active boolean);
create index people_mail on people (mail);
create index people_balance on people (balance);
create table copies (id integer primary key, mail varchar(80), code varchar(80), amount bigint);
insert into copies values (1, 'zoe-7731@example.com', 'AB-7731-X', 77310), (2, 'mia-7732@example.com', 'AB-1111-X', 5);
`;

/** What is hidden in the first database, and in the second. Of codes, which are shown in part, the first three letters are the same. */
const FIRST = `${TABLES}
insert into people values
  (1, 'red', 'zoe-7731@example.com', '', '12', 'AB-7731-X', 77310, 0.5, '1977-03-31', true),
  (2, 'red', 'mia-7732@example.com', 'zoe-7731@example.com', '7', 'AB-2222-X', 77320, 0.25, '2001-01-01', true),
  (3, 'blue', null, 'x77331', '0', 'CD-3333-Y', null, 0.125, '2002-02-02', false),
  (4, 'blue', 'lea-7734@example.com', 'x77341', '4', 'CD-0001-Y', -77340, 0.75, '1999-09-09', false);
`;
const SECOND = `${TABLES}
insert into people values
  (4, 'blue', 'bob-8844@example.com', 'x88441', 'x', 'CD-8888-Z', -1, -1e308, '2000-01-01', true),
  (3, 'blue', 'abe-8841@example.com', null, 'eighty', 'CD-9999-Z', -9223372036854775808, 1e308, '9999-12-31', null),
  (2, 'red', 'abe-8841@example.com', 'x88421', '', 'AB-0900-Z', 9223372036854775807, 1.5e308, '0001-01-01', null),
  (1, 'red', null, 'x88431', '1e999', 'AB-0841-Z', 9223372036854775806, 1.5e308, '1988-04-01', false);
`;

const ALLOW = 'id: allow_all\naction: {allow: true}\n';
const mask = (method: string, fields: string) =>
  `id: mask_${method}\nmatch: {dataset: people, fields: {any: [${fields}]}}\naction: {mask: true, mask_type: ${method}}\n`;
const MASKS = [
  mask('full', 'mail, note, digits, born'),
  mask('nullify', 'balance, score, active'),
  mask('partial', 'code'),
];

/** Parts of hidden values of either database. */
const HIDDEN = /77[23]\d|7733|88[34]\d|eighty|1977|1988|9223372036854775|e308|AB-[0-9]|CD-[0-9]/;

const grounds: Record<string, (sql: string, context: TestContext) => Promise<Ground>> = {
  sqlite: (sql) => sqliteShop({ sql, registryText: REGISTRY }),
  async postgres(sql, context) {
    const { url, reason } = await findPostgres();
    if (url === null) return context.skip(reason);
    return postgresShop(url, { sql, registryText: REGISTRY });
  },
  async mysql(sql, context) {
    const { url, reason } = await findMysql();
    if (url === null) return context.skip(reason);
    return mysqlShop(url, { sql, registryText: REGISTRY });
  },
};

/** All that a requester is told, without what is new in every answer. */
async function told(g: Governed, token: string, { aql }: Probe): Promise<object> {
  const asked = await g.call(token, 'POST', '/orgs/acme/requests', { aql });
  if (asked.body.status !== 'granted') {
    const { error, type, details } = asked.body;
    return { status: asked.status, error, type, details };
  }
  const path = `/orgs/acme/grants/${asked.body.grant_ref}/fetch`;
  const { status, body } = await g.call(token, 'POST', path, {});
  const { columns, row_count, truncated } = (body.meta ?? {}) as Record<string, unknown>;
  return { status, rows: body.rows, type: body.type, columns, row_count, truncated };
}

describe.each(Object.entries(grounds))('on %s', (engine, ground) => {
  it('no probe tells two databases apart that differ in hidden values', {
    timeout: TIMEOUT_MS,
  }, async (context) => {
    const first = await governed(await ground(FIRST, context));
    const second = await governed(await ground(SECOND, context));
    const [one, two] = await Promise.all(
      [first, second].map((g) => g.user({ email: 'mallory@acme.test', roles: ['analyst'] })),
    );
    const both = (probe: Probe) =>
      Promise.all([told(first, one as string, probe), told(second, two as string, probe)]);

    await Promise.all([first.deploy([ALLOW]), second.deploy([ALLOW])]);
    const sharp = PROBES.filter(({ blunt }) => !blunt?.[engine as 'mysql']);
    const open = await mapAtOnce(sharp, both);
    const same = ([here, there]: object[]) => JSON.stringify(here) === JSON.stringify(there);
    const idle = sharp.filter((_, index) => same(open[index] ?? []));
    expect(idle, 'probes that reveal nothing of what is open').toEqual([]);

    await Promise.all([first.deploy([ALLOW, ...MASKS]), second.deploy([ALLOW, ...MASKS])]);
    let answered = 0;
    const probes = [...PROBES, ...NONSENSE];
    for (const [index, [here, there]] of (await mapAtOnce(probes, both)).entries()) {
      const { name } = probes[index] as Probe;
      expect([name, there]).toEqual([name, here]);
      expect(HIDDEN.exec(JSON.stringify(here)), name).toBeNull();
      if ('rows' in here) answered += 1;
      else expect([name, here]).toMatchObject([name, { status: 400, type: 'validation' }]);
    }
    expect(answered).toBeGreaterThan(PROBES.length / 2);
  });
});
