import { choice, type ParsedUrl, parseServerUrl, text, wholeSeconds } from '../parse-server-url.js';
import { SSL_MODES } from '../server-options.js';
import { PORT } from './options.js';

const MODES = Object.fromEntries(SSL_MODES.map((mode) => [mode, mode]));

/** Reads `postgres://` and `postgresql://` URLs, as `parseServerUrl` does. */
export function parsePostgresUrl(url: string): ParsedUrl {
  return parseServerUrl(url, {
    product: 'PostgreSQL',
    protocols: ['postgres:', 'postgresql:'],
    port: PORT,
    example: 'postgres://user:password@host:5432/database?sslmode=verify-full',
    parameters: {
      sslmode: choice('ssl_mode', 'sslmode', MODES),
      ssl_mode: choice('ssl_mode', 'ssl_mode', MODES),
      sslrootcert: text('ssl_root_cert'),
      ssl_root_cert: text('ssl_root_cert'),
      connect_timeout: wholeSeconds('connect_timeout'),
      schema: text('schema'),
    },
  });
}
