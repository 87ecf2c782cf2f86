import type { Engine } from '../contract.js';
import { loadDriver } from '../load-driver.js';
import { bigqueryDialect } from './dialect.js';
import { BIGQUERY_CONFIG_SCHEMA } from './options.js';
import { parseBigqueryUrl } from './parse-url.js';
import { bigqueryReaderLogin } from './reader-login.js';

/** Google BigQuery, in GoogleSQL. It has no login by name and password: a key file, or what the machine is. */
export const bigquery: Engine = {
  name: 'bigquery',
  displayName: 'BigQuery',
  needsCredentials: false,
  usesOwnLogin: true,
  localFileKeys: ['credentials_file'],
  configSchema: BIGQUERY_CONFIG_SCHEMA,
  dialect: bigqueryDialect,
  refusesSamples: 'it reads and bills whole columns, whatever the LIMIT.',
  hostDialled: ({ api_endpoint: endpoint }) =>
    typeof endpoint === 'string' ? new URL(endpoint).hostname : 'bigquery.googleapis.com',
  parseUrl: parseBigqueryUrl,
  readerLogin: bigqueryReaderLogin,
  async connect(target, options) {
    const { connectBigquery } = await loadDriver(
      '@google-cloud/bigquery',
      () => import('./driver.js'),
    );
    return connectBigquery(target, options);
  },
};
