import type { Engine } from '../contract.js';
import { loadDriver } from '../load-driver.js';
import { unverifiedHost } from '../server-options.js';
import { postgresDialect } from './dialect.js';
import { POSTGRES_CONFIG_SCHEMA } from './options.js';
import { parsePostgresUrl } from './parse-url.js';
import { postgresReaderLogin } from './reader-login.js';

/** PostgreSQL 12 and newer. */
export const postgres: Engine = {
  name: 'postgres',
  displayName: 'PostgreSQL',
  needsCredentials: true,
  unverifiedHost,
  localFileKeys: ['ssl_root_cert'],
  configSchema: POSTGRES_CONFIG_SCHEMA,
  dialect: postgresDialect,
  parseUrl: parsePostgresUrl,
  readerLogin: postgresReaderLogin,
  async connect(target, options) {
    const { connectPostgres } = await loadDriver('pg', () => import('./driver.js'));
    return connectPostgres(target, options);
  },
};
