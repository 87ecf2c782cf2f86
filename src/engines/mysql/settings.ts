import { isIP } from 'node:net';
import { VkitError } from '../../errors/index.js';
import type { ConnectionTarget } from '../contract.js';
import { readServerSettings, type ServerSettings } from '../server-settings.js';
import { PORT } from './options.js';

export interface MysqlSettings extends ServerSettings {
  /** Path of the server's socket, in place of host and port. */
  socketPath?: string;
}

/** Reads a checked configuration. Throws `config_invalid` where the mode asks for what cannot be checked. */
export async function readMysqlSettings(target: ConnectionTarget): Promise<MysqlSettings> {
  const settings = await readServerSettings(target, PORT);
  const { host, sslMode } = settings;
  if (host.startsWith('/')) {
    // Nothing leaves the machine, and servers seldom offer TLS on a socket.
    const ssl = sslMode === 'prefer' ? false : settings.ssl;
    return { ...settings, ssl, socketPath: host };
  }
  if (sslMode === 'verify-full' && isIP(host) !== 0) {
    // The package would compare the certificate of an address with "localhost".
    throw new VkitError(
      'config_invalid',
      `The datasource "${target.id}" asks for verify-full of an address, which has no name to verify.`,
      { hint: "Name the host as its certificate does, or set ssl_mode: 'verify-ca'." },
    );
  }
  return settings;
}
