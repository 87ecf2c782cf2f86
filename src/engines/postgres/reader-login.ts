import {
  checkedLogin,
  READER_LOGIN,
  type ReaderLogin,
  type ReaderLoginRequest,
  SET_PASSWORD,
  schemasOf,
} from '../reader-login.js';
import { postgresDialect } from './dialect.js';

/** NAMEDATALEN of PostgreSQL less one. */
const NAME_BYTES_MAX = 63;

/** A role that may read the tables and nothing else (postgresql.org/docs/current/sql-createrole.html, sql-grant.html). */
export function postgresReaderLogin({
  login = READER_LOGIN,
  config,
  tables,
}: ReaderLoginRequest): ReaderLogin {
  const dialect = postgresDialect;
  const { quoteIdentifier } = dialect;
  const role = quoteIdentifier(checkedLogin(login, NAME_BYTES_MAX));
  const database = quoteIdentifier(String(config.database));
  const defaultSchema = quoteIdentifier(String(config.schema ?? 'public'));
  const reads =
    tables === 'default_schema'
      ? [
          `GRANT USAGE ON SCHEMA ${defaultSchema} TO ${role};`,
          `GRANT SELECT ON ALL TABLES IN SCHEMA ${defaultSchema} TO ${role};`,
        ]
      : [
          ...schemasOf(tables).map(
            (schema) => `GRANT USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${role};`,
          ),
          ...tables.map(({ table }) => `GRANT SELECT ON ${dialect.table(table)} TO ${role};`),
        ];
  return {
    login,
    statements: [
      `CREATE ROLE ${role} LOGIN PASSWORD '<password>' NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;`,
      `ALTER ROLE ${role} SET default_transaction_read_only = on;`,
      `GRANT CONNECT ON DATABASE ${database} TO ${role};`,
      ...reads,
    ],
    notes: [
      SET_PASSWORD,
      `What PUBLIC may do in the database, the login may do as well. To take the usual of it away from everybody: REVOKE TEMPORARY ON DATABASE ${database} FROM PUBLIC; REVOKE CREATE ON SCHEMA ${defaultSchema} FROM PUBLIC;`,
    ],
  };
}
