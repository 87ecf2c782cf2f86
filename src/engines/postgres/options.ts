import { serverProperties } from '../server-options.js';

export const PORT = 5432;

const { host, port, database, ...rest } = serverProperties(PORT);

/** JSON Schema of `config` in a datasource's file. */
export const POSTGRES_CONFIG_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  additionalProperties: false,
  required: ['host', 'database'],
  properties: {
    host,
    port,
    database,
    schema: {
      type: 'string',
      minLength: 1,
      default: 'public',
      description: 'The schema whose tables are named without it in the registry.',
    },
    ...rest,
  },
} as const;
