import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Governed, governed } from '../helpers/governed.js';
import { findMysql } from '../helpers/mysql.js';
import { findPostgres } from '../helpers/postgres.js';
import { mysqlShop, postgresShop } from '../helpers/shop.js';
import { mapAtOnce } from './at-once.js';

const MASKS = [
  'id: allow_all\naction: {allow: true}\n',
  'id: part\nmatch: {fields: {any: [email]}}\naction: {mask: true, mask_type: partial}\n',
  'id: digest\nmatch: {fields: {any: [ssn, purchase_amount]}}\naction: {mask: true, mask_type: hash}\n',
  'id: whole\nmatch: {fields: {any: [card]}}\naction: {mask: true, mask_type: full}\n',
];

const customers = (more: object) => ({
  source_table: 'customers',
  columns: ['id', 'email', 'ssn', 'purchase_amount'],
  ...more,
});

/** Queries that use every function and operator that the SQL of vkit names. */
const QUERIES: readonly object[] = [
  customers({}),
  customers({ filters: [{ operator: 'eq', field: 'country', value: 'US' }] }),
  customers({ filters: [{ operator: 'neq', field: 'email', value: 'zoe****' }] }),
  customers({ filters: [{ operator: 'in', field: 'country', value: ['US', 'DE'] }] }),
  customers({ filters: [{ operator: 'not_in', field: 'id', value: [1, 2] }] }),
  customers({ filters: [{ operator: 'like', field: 'email', value: 'zoe%' }] }),
  customers({ filters: [{ operator: 'not_like', field: 'country', value: 'U_' }] }),
  customers({ filters: [{ operator: 'between', field: 'country', value: ['A', 'E'] }] }),
  customers({ filters: [{ operator: 'gt', field: 'id', value: 2 }] }),
  customers({ order_by: { column: 'email', direction: 'DESC' } }),
  {
    source_table: 'customers',
    columns: ['country'],
    aggregates: [
      { func: 'count', field: '*' },
      { func: 'count_distinct', field: 'ssn' },
      { func: 'max', field: 'email' },
      { func: 'sum', field: 'id' },
      { func: 'avg', field: 'id' },
    ],
    having: [{ operator: 'gte', field: 'COUNT(*)', value: 1 }],
  },
  {
    source_table: 'orders',
    columns: ['orders.id', 'card', 'email'],
    joins: [
      { type: 'LEFT', table: 'customers', left_field: 'customer_id', right_field: 'customers.id' },
    ],
    aggregates: [
      { func: 'sum', field: 'amount' },
      { func: 'min', field: 'amount' },
    ],
  },
];

async function answersOf(g: Governed): Promise<unknown[]> {
  await g.deploy(MASKS);
  const token = await g.user({ email: 'mallory@acme.test', roles: ['analyst'] });
  return mapAtOnce(QUERIES, async (aql) => {
    const asked = await g.call(token, 'POST', '/orgs/acme/requests', { aql });
    const path = `/orgs/acme/grants/${asked.body.grant_ref}/fetch`;
    const { status, body } = await g.call(token, 'POST', path, {});
    expect([aql, status]).toEqual([aql, 200]);
    return body.rows;
  });
}

/** Functions, operators, a type and a table in a schema that the database's own setting puts first. */
const EVIL = `
create schema evil;
create function evil.concat(text, text) returns text language sql as $$ select 'stolen ' || $1 $$;
create function evil.left(text, int) returns text language sql as 'select $1';
create function evil.right(text, int) returns text language sql as 'select $1';
create function evil.char_length(text) returns int language sql as 'select 999';
create function evil.convert_to(text, name) returns bytea language sql as 'select pg_catalog.convert_to($1, $2)';
create function evil.sha256(bytea) returns bytea language sql as 'select $1';
create function evil.encode(bytea, text) returns text language sql as $$ select pg_catalog.convert_from($1, 'UTF8') $$;
create function evil.trim_scale(numeric) returns numeric language sql as 'select -1::numeric';
create function evil.like_escape(text, text) returns text language sql as $$ select '%'::text $$;
create function evil.always(text, text) returns bool language sql as 'select true';
create function evil.always(int, int) returns bool language sql as 'select true';
create operator evil.= (leftarg = text, rightarg = text, function = evil.always);
create operator evil.<> (leftarg = text, rightarg = text, function = evil.always);
create operator evil.< (leftarg = text, rightarg = text, function = evil.always);
create operator evil.> (leftarg = int, rightarg = int, function = evil.always);
create operator evil.~~ (leftarg = text, rightarg = text, function = evil.always);
create operator evil.!~~ (leftarg = text, rightarg = text, function = evil.always);
create aggregate evil.max(text) (sfunc = evil.concat, stype = text);
create aggregate evil.count("any") (sfunc = int8inc_any, stype = int8, initcond = 500);
create domain evil.text as pg_catalog.text check (value is null or value = 'never');
create table evil.customers as select id, 'stolen'::pg_catalog.text as email from customers;
`;

describe('a schema that comes first', () => {
  it('of PostgreSQL lends its functions, operators, types and tables to nobody', async (context) => {
    const { url, reason } = await findPostgres();
    if (url === null) return context.skip(reason);
    const database = `vkit_test_${randomBytes(8).toString('hex')}`;
    const admin = new pg.Client({ connectionString: url });
    await admin.connect();
    onTestFinished(async () => {
      await admin.query(`drop database if exists ${database} with (force)`);
      await admin.end();
    });
    await admin.query(`create database ${database} encoding 'UTF8' template template0`);
    const own = new URL(url);
    own.pathname = `/${database}`;
    const honest = await answersOf(await governed(await postgresShop(own.href)));
    const ground = await postgresShop(own.href, { sql: EVIL });
    await admin.query(`alter database ${database} set search_path = evil, pg_catalog`);

    const client = new pg.Client({ connectionString: own.href });
    await client.connect();
    const { rows } = await client.query(
      `select concat(left(ssn, 3), '****') shown, encode(sha256(convert_to(ssn, 'UTF8')), 'hex') digest
         from ${ground.config.schema}.customers where country = 'nowhere' and id OPERATOR(pg_catalog.=) 1`,
    );
    const stolen = await client.query("select email from customers where email like 'x'");
    await client.end();
    expect(rows).toEqual([{ shown: 'stolen 078-05-1120', digest: '078-05-1120' }]);
    expect(stolen.rows[0]).toEqual({ email: 'stolen' });

    expect(await answersOf(await governed(ground))).toEqual(honest);
  });

  it('of MySQL has functions that are called like its own, and they are not called', async (context) => {
    const { url, reason } = await findMysql();
    if (url === null) return context.skip(reason);
    const honest = await answersOf(await governed(await mysqlShop(url)));
    const ground = await mysqlShop(url, { sql: MYSQL_EVIL });
    const database = String(ground.config.database);
    const client = await mysql.createConnection({ uri: url, database, rowsAsArray: true });
    const [rows] = await client.query(`select ${database}.concat('x', 'y')`);
    await client.end();
    expect(rows).toEqual([['stolen']]);
    expect(await answersOf(await governed(ground))).toEqual(honest);
  });
});

const MYSQL_EVIL = ['concat', 'sha2', 'coalesce', 'locate', 'char_length', 'bin', 'st_astext']
  .map(
    (name) => `create function ${name}(a text, b text) returns text deterministic return 'stolen';`,
  )
  .join('\n');
