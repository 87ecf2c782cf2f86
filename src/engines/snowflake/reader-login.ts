import type { TableKind } from '../../schema/model.js';
import {
  checkedLogin,
  type ReaderLogin,
  type ReaderLoginRequest,
  schemasOf,
} from '../reader-login.js';
import { snowflakeDialect } from './dialect.js';

const NAME_BYTES_MAX = 255;
const WAREHOUSE_PLACEHOLDER = '<warehouse>';

/** Kinds of objects as GRANT names them (docs.snowflake.com/en/sql-reference/sql/grant-privilege). */
const OBJECT_KINDS: Readonly<Record<TableKind, string>> = {
  table: 'TABLE',
  view: 'VIEW',
  materialized_view: 'MATERIALIZED VIEW',
  foreign_table: 'EXTERNAL TABLE',
};

/** A role that may read the tables, and a service user with a key pair that has it and no other. */
export function snowflakeReaderLogin({
  login = 'VKIT_READER',
  config,
  tables,
}: ReaderLoginRequest): ReaderLogin {
  const { quoteIdentifier: quote } = snowflakeDialect;
  const user = quote(checkedLogin(login, NAME_BYTES_MAX));
  const database = quote(String(config.database));
  const defaultSchema = `${database}.${quote(String(config.schema ?? 'PUBLIC'))}`;
  const configured = typeof config.warehouse === 'string' ? config.warehouse : undefined;
  const warehouse = quote(configured ?? WAREHOUSE_PLACEHOLDER);
  const reads =
    tables === 'default_schema'
      ? [
          `GRANT USAGE ON SCHEMA ${defaultSchema} TO ROLE ${user};`,
          `GRANT SELECT ON ALL TABLES IN SCHEMA ${defaultSchema} TO ROLE ${user};`,
          `GRANT SELECT ON ALL VIEWS IN SCHEMA ${defaultSchema} TO ROLE ${user};`,
        ]
      : [
          ...schemasOf(tables).map(
            (schema) => `GRANT USAGE ON SCHEMA ${database}.${quote(schema)} TO ROLE ${user};`,
          ),
          ...tables.map(({ table, kind }) => {
            const name = [database, quote(table.schema), quote(table.name)].join('.');
            return `GRANT SELECT ON ${OBJECT_KINDS[kind]} ${name} TO ROLE ${user};`;
          }),
        ];
  return {
    login,
    statements: [
      `CREATE ROLE ${user};`,
      `GRANT USAGE ON WAREHOUSE ${warehouse} TO ROLE ${user};`,
      `GRANT USAGE ON DATABASE ${database} TO ROLE ${user};`,
      ...reads,
      `CREATE USER ${user} TYPE = SERVICE DEFAULT_ROLE = ${user} DEFAULT_SECONDARY_ROLES = () DEFAULT_WAREHOUSE = ${warehouse} RSA_PUBLIC_KEY = '<public key>';`,
      `GRANT ROLE ${user} TO USER ${user};`,
    ],
    notes: [
      'Put the public key of private_key_file in the place of <public key>, without its first and last line.',
      ...(configured === undefined
        ? [
            `Put a warehouse in the place of ${WAREHOUSE_PLACEHOLDER}, or name one in the datasource.`,
          ]
        : []),
      'Written from the documentation of Snowflake; these statements were never run on Snowflake.',
    ],
  };
}
