import { choice, type ParsedUrl, parseServerUrl, text, wholeSeconds } from '../parse-server-url.js';
import { SSL_MODES } from '../server-options.js';
import { PORT } from './options.js';

/** MySQL's names of the modes, and those of the configuration. */
const MODES: Readonly<Record<string, string>> = {
  DISABLED: 'disable',
  PREFERRED: 'prefer',
  REQUIRED: 'require',
  VERIFY_CA: 'verify-ca',
  VERIFY_IDENTITY: 'verify-full',
  ...Object.fromEntries(SSL_MODES.map((mode) => [mode, mode])),
};

/** Reads `mysql://` and `mariadb://` URLs, as `parseServerUrl` does. */
export function parseMysqlUrl(url: string): ParsedUrl {
  return parseServerUrl(url, {
    product: 'MySQL',
    protocols: ['mysql:', 'mariadb:'],
    port: PORT,
    example: 'mysql://user:password@host:3306/database?ssl-mode=VERIFY_IDENTITY',
    parameters: {
      'ssl-mode': choice('ssl_mode', 'ssl-mode', MODES),
      ssl_mode: choice('ssl_mode', 'ssl_mode', MODES),
      'ssl-ca': text('ssl_root_cert'),
      ssl_root_cert: text('ssl_root_cert'),
      'connect-timeout': wholeSeconds('connect_timeout'),
      connect_timeout: wholeSeconds('connect_timeout'),
    },
  });
}
