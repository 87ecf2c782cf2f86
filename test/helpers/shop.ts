import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import type { Ground } from './governed.js';
import { mysqlGround } from './mysql.js';
import { postgresGround } from './postgres.js';
import { type AtTheEnd, temporaryFolder } from './temporary-folder.js';

/** The same tables and rows on every engine; emails are in the opposite order of the ids. */
const TABLES = (text: string) => `
create table customers (
  id integer primary key,
  user_id integer not null,
  email ${text},
  country ${text},
  ssn ${text},
  purchase_amount numeric(10, 2)
);
create index customers_email on customers (email);
create table orders (id integer primary key, customer_id integer, amount numeric(10, 2), card ${text});
insert into customers values
  (1, 11, 'zoe@example.com', 'US', '078-05-1120', 12.50),
  (2, 12, 'mia@example.com', 'CA', '219-09-9999', 99.00),
  (3, 13, null, 'US', null, null),
  (4, 14, 'ädele@example.com', 'DE', '', 7.25);
insert into orders values (100, 1, 12.50, '4111111111111111'), (101, 1, 30.00, null), (102, 2, 99.00, '4012888888881881');
`;

export const SHOP_REGISTRY = `
customers:
  datasource: shop
  fields:
    id: {type: integer, sensitivity: low, category: internal}
    user_id: {type: integer, sensitivity: low, category: internal}
    email: {type: text, sensitivity: medium, category: pii, classification: email, tags: [contact]}
    country: {type: text, sensitivity: low, category: internal}
    ssn: {type: text, sensitivity: high, category: pii}
    purchase_amount: {type: numeric, sensitivity: low, category: internal}
orders:
  datasource: shop
  fields:
    id: {type: integer, sensitivity: low, category: internal}
    customer_id: {type: integer, sensitivity: low, category: internal}
    amount: {type: numeric, sensitivity: medium, category: financial}
    card: {type: text, sensitivity: high, category: pci}
`;

/** The shop in a SQLite file. */
export async function sqliteShop(
  change: Partial<Ground> & { sql?: string } = {},
  atTheEnd?: AtTheEnd,
): Promise<Ground & { path: string }> {
  const path = join(await temporaryFolder(atTheEnd), 'shop.db');
  const database = new DatabaseSync(path);
  database.exec(TABLES('text') + (change.sql ?? ''));
  database.close();
  return {
    engine: 'sqlite',
    config: { path },
    variables: {},
    registryText: SHOP_REGISTRY,
    path,
    ...change,
  };
}

/**
 * The shop in a MySQL database of its own, dropped when the test ends unless something else is given. Its texts have another collation than those of
 * tables that a test adds, and the server compares neither with the other.
 */
export async function mysqlShop(
  url: string,
  change: Partial<Ground> & { sql?: string } = {},
  atTheEnd: AtTheEnd = onTestFinished,
): Promise<Ground> {
  const database = `vkit_test_${randomBytes(8).toString('hex')}`;
  const client = await mysql.createConnection({ uri: url, multipleStatements: true });
  atTheEnd(async () => {
    await client.query(`drop database if exists ${database}`);
    await client.end();
  });
  await client.query(
    `create database ${database} character set utf8mb4 collate utf8mb4_general_ci; use ${database}`,
  );
  await client.query(TABLES('varchar(100) collate utf8mb4_unicode_ci') + (change.sql ?? ''));
  return {
    engine: 'mysql',
    ...mysqlGround(url, database),
    registryText: SHOP_REGISTRY,
    ...change,
  };
}

/** The shop in a PostgreSQL schema of its own, dropped when the test ends unless something else is given. */
export async function postgresShop(
  url: string,
  change: Partial<Ground> & { sql?: string } = {},
  atTheEnd: AtTheEnd = onTestFinished,
): Promise<Ground> {
  const schema = `vkit_test_${randomBytes(8).toString('hex')}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  atTheEnd(async () => {
    await client.query(`drop schema if exists ${schema} cascade`);
    await client.end();
  });
  await client.query(`create schema ${schema}`);
  await client.query(`set search_path to ${schema}`);
  await client.query(TABLES('text') + (change.sql ?? ''));
  return {
    engine: 'postgres',
    ...postgresGround(url, schema),
    registryText: SHOP_REGISTRY,
    ...change,
  };
}
