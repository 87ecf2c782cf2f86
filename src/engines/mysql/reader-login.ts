import {
  checkedLogin,
  READER_LOGIN,
  type ReaderLogin,
  type ReaderLoginRequest,
  SET_PASSWORD,
} from '../reader-login.js';
import { mysqlDialect } from './dialect.js';

/** Of an account's name in MySQL 8; MariaDB takes more. */
const NAME_BYTES_MAX = 32;
const ENCRYPTED = ['require', 'verify-ca', 'verify-full'];

/**
 * An account that may read the tables, and the definitions of views, which a scan compares
 * (dev.mysql.com/doc/refman/8.0/en/create-user.html, grant.html).
 */
export function mysqlReaderLogin({
  login = READER_LOGIN,
  config,
  tables,
}: ReaderLoginRequest): ReaderLogin {
  const dialect = mysqlDialect;
  const { quoteIdentifier } = dialect;
  const account = `'${checkedLogin(login, NAME_BYTES_MAX)}'@'%'`;
  // In a grant on a whole database, its name is a pattern.
  const whole = quoteIdentifier(String(config.database).replace(/[\\_%]/g, '\\$&'));
  const tls = ENCRYPTED.includes(String(config.ssl_mode)) ? ' REQUIRE SSL' : '';
  const reads =
    tables === 'default_schema'
      ? [`GRANT SELECT, SHOW VIEW ON ${whole}.* TO ${account};`]
      : tables.map(({ table, kind }) => {
          const privileges = kind === 'view' ? 'SELECT, SHOW VIEW' : 'SELECT';
          return `GRANT ${privileges} ON ${dialect.table(table)} TO ${account};`;
        });
  return {
    login,
    statements: [`CREATE USER ${account} IDENTIFIED BY '<password>'${tls};`, ...reads],
    notes: [
      SET_PASSWORD,
      "The login may come from every host ('%'): name the one that vkit runs on, where it has a name.",
    ],
  };
}
