import { STATEMENT_TIMEOUT } from '../statement-timeout.js';

export const PORT = 443;

/** How the login proves itself, by the names of Snowflake's own drivers. */
export const AUTHENTICATORS = [
  'snowflake',
  'snowflake_jwt',
  'oauth',
  'programmatic_access_token',
] as const;
export type Authenticator = (typeof AUTHENTICATORS)[number];

const name = { type: 'string', minLength: 1, maxLength: 255 } as const;

/** JSON Schema of `config` in a datasource's file. */
export const SNOWFLAKE_CONFIG_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  additionalProperties: false,
  required: ['account', 'database'],
  properties: {
    account: {
      type: 'string',
      pattern: '^[A-Za-z0-9](?:[A-Za-z0-9_-]*(?:\\.[A-Za-z0-9_-]+)*)$',
      maxLength: 255,
      description: 'The account identifier, organisation-account, without .snowflakecomputing.com.',
    },
    database: name,
    schema: {
      ...name,
      default: 'PUBLIC',
      description: 'The schema whose tables are named without it in the registry.',
    },
    warehouse: { ...name, description: "Default: the user's default warehouse." },
    role: { ...name, description: "Default: the user's default role." },
    authenticator: {
      enum: AUTHENTICATORS,
      description: 'Default: snowflake_jwt where private_key_file is given, else snowflake.',
    },
    private_key_file: {
      type: 'string',
      minLength: 1,
      description: 'Path of the PEM file with the RSA key of snowflake_jwt.',
    },
    host: {
      type: 'string',
      pattern: '^[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$',
      maxLength: 255,
      description: "Where the account's own host is reached by another name (private link).",
    },
    port: { type: 'integer', minimum: 1, maximum: 65535, default: PORT },
    protocol: {
      enum: ['https', 'http'],
      default: 'https',
      description: 'http to a host of this machine alone.',
    },
    connect_timeout: { type: 'integer', minimum: 1, maximum: 9999, description: 'Seconds.' },
    statement_timeout: STATEMENT_TIMEOUT,
  },
} as const;
