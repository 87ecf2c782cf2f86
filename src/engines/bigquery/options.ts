import { STATEMENT_TIMEOUT } from '../statement-timeout.js';

/** JSON Schema of `config` in a datasource's file. */
export const BIGQUERY_CONFIG_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  additionalProperties: false,
  required: ['project', 'dataset'],
  properties: {
    project: {
      type: 'string',
      pattern: '^(?:[a-z0-9.-]{1,253}:)?[a-z][a-z0-9-]{4,61}[a-z0-9]$',
      description: 'Id of the project that has the data and pays for the queries.',
    },
    dataset: {
      type: 'string',
      pattern: '^[A-Za-z0-9_]{1,1024}$',
      description: 'The dataset whose tables are named without it in the registry.',
    },
    location: {
      type: 'string',
      pattern: '^[A-Za-z0-9-]{1,63}$',
      description: 'Where queries run, such as EU; default where the dataset is.',
    },
    credentials_file: {
      type: 'string',
      minLength: 1,
      description:
        'Path of the JSON key of a service account; default the application default credentials.',
    },
    maximum_bytes_billed: {
      type: 'integer',
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'A query that would read more is refused by BigQuery; default no bound.',
    },
    statement_timeout: STATEMENT_TIMEOUT,
    api_endpoint: {
      type: 'string',
      pattern:
        '^(?:https://[a-z0-9.-]{1,200}\\.googleapis\\.com|http://(?:127\\.0\\.0\\.1|localhost):\\d{1,5})$',
      description:
        'Another endpoint of Google, or http://127.0.0.1:PORT of an emulator, which is sent no credentials.',
    },
  },
} as const;
