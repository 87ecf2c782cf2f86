import { serverProperties } from '../server-options.js';

export const PORT = 3306;

/** JSON Schema of `config` in a datasource's file. */
export const MYSQL_CONFIG_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  additionalProperties: false,
  required: ['host', 'database'],
  properties: {
    ...serverProperties(PORT),
    host: {
      type: 'string',
      minLength: 1,
      description: "Name or address of the server, or the path of its socket's file.",
    },
    database: {
      type: 'string',
      minLength: 1,
      description: 'The database whose tables are named without it in the registry.',
    },
  },
} as const;
