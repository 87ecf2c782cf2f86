import { STATEMENT_TIMEOUT } from '../statement-timeout.js';

/** JSON Schema of `config` in a datasource's file. */
export const SQLITE_CONFIG_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  additionalProperties: false,
  required: ['path'],
  properties: {
    path: { type: 'string', minLength: 1, description: 'Path of the database file.' },
    statement_timeout: STATEMENT_TIMEOUT,
  },
} as const;
