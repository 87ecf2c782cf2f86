import type { Engine } from '../contract.js';
import { loadDriver } from '../load-driver.js';
import { snowflakeDialect } from './dialect.js';
import { SNOWFLAKE_CONFIG_SCHEMA } from './options.js';
import { parseSnowflakeUrl } from './parse-url.js';
import { snowflakeReaderLogin } from './reader-login.js';

/** Snowflake's service, through its official driver. */
export const snowflake: Engine = {
  name: 'snowflake',
  displayName: 'Snowflake',
  needsCredentials: true,
  localFileKeys: ['private_key_file'],
  configSchema: SNOWFLAKE_CONFIG_SCHEMA,
  dialect: snowflakeDialect,
  hostDialled: ({ host, account }) =>
    typeof host === 'string' ? host : `${String(account)}.snowflakecomputing.com`,
  parseUrl: parseSnowflakeUrl,
  readerLogin: snowflakeReaderLogin,
  async connect(target, options) {
    const { connectSnowflake } = await loadDriver('snowflake-sdk', () => import('./driver.js'));
    return connectSnowflake(target, options);
  },
};
