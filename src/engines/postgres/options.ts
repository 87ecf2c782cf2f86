/** As libpq's; `prefer` is the default there and here: encrypted where the server can. */
export const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];
export const SSL_MODE: SslMode = 'prefer';

export const PORT = 5432;

/** JSON Schema of `config` in a datasource's file. */
export const POSTGRES_CONFIG_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  additionalProperties: false,
  required: ['host', 'database'],
  properties: {
    host: {
      type: 'string',
      minLength: 1,
      description: 'Name or address of the server, or the folder of its socket.',
    },
    port: { type: 'integer', minimum: 1, maximum: 65535, default: PORT },
    database: { type: 'string', minLength: 1 },
    schema: {
      type: 'string',
      minLength: 1,
      default: 'public',
      description: 'The schema whose tables are named without it in the registry.',
    },
    ssl_mode: { enum: SSL_MODES, default: SSL_MODE },
    ssl_root_cert: {
      type: 'string',
      minLength: 1,
      description: 'Path of a PEM file with the certificates that are trusted.',
    },
    connect_timeout: { type: 'integer', minimum: 1, maximum: 9999, description: 'Seconds.' },
  },
} as const;
