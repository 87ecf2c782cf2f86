import type { Engine } from '../contract.js';
import { loadDriver } from '../load-driver.js';
import { unverifiedHost } from '../server-options.js';
import { mysqlDialect } from './dialect.js';
import { MYSQL_CONFIG_SCHEMA } from './options.js';
import { parseMysqlUrl } from './parse-url.js';
import { mysqlReaderLogin } from './reader-login.js';

/** MySQL 8 and newer, MariaDB 10.6 and newer. */
export const mysql: Engine = {
  name: 'mysql',
  displayName: 'MySQL',
  needsCredentials: true,
  unverifiedHost,
  localFileKeys: ['ssl_root_cert'],
  configSchema: MYSQL_CONFIG_SCHEMA,
  dialect: mysqlDialect,
  parseUrl: parseMysqlUrl,
  readerLogin: mysqlReaderLogin,
  async connect(target, options) {
    const { connectMysql } = await loadDriver('mysql2', () => import('./driver.js'));
    return connectMysql(target, options);
  },
};
