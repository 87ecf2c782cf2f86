import type { Engine } from '../contract.js';
import { loadDriver } from '../load-driver.js';
import { sqliteDialect } from './dialect.js';
import { SQLITE_CONFIG_SCHEMA } from './options.js';
import { parseSqliteUrl } from './parse-url.js';
import { sqliteReaderLogin } from './reader-login.js';

/** A local SQLite file: the embedded engine. */
export const sqlite: Engine = {
  name: 'sqlite',
  displayName: 'SQLite',
  needsCredentials: false,
  localFileKeys: ['path'],
  configSchema: SQLITE_CONFIG_SCHEMA,
  dialect: sqliteDialect,
  parseUrl: parseSqliteUrl,
  readerLogin: sqliteReaderLogin,
  async connect(target, options) {
    const { connectSqlite } = await loadDriver(
      '@photostructure/sqlite',
      () => import('./driver.js'),
    );
    return connectSqlite(target, options);
  },
};
