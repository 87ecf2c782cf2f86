import { type AddressRules, GuardedSocket } from '../../util/outbound.js';
import type { ServerSettings } from '../server-settings.js';
import { authWithoutProof } from './auth-without-proof.js';
import type { MysqlSettings } from './settings.js';

/** Statements kept prepared per connection. */
const PREPARED_MAX = 50;

export interface DialOptions {
  connectTimeoutMs: number;
  /** Whether the password may go to the server itself, encrypted by TLS. */
  takesClear: boolean;
  rules: AddressRules | undefined;
}

/** What the package opens a connection with. */
export function connectionOptions(
  settings: MysqlSettings,
  ssl: ServerSettings['ssl'],
  { connectTimeoutMs, takesClear, rules }: DialOptions,
) {
  const { host, port, user, database, sslMode, socketPath } = settings;
  const password = settings.password();
  // Encrypted for somebody whom nobody has verified is as good as in clear.
  const isPrivate = (ssl !== false && takesClear) || socketPath !== undefined;
  return {
    ...(socketPath === undefined ? { host, port } : { socketPath }),
    ...{ user, password, database },
    ...(ssl === false ? {} : { ssl: tlsOptions(ssl, sslMode) }),
    ...(isPrivate ? {} : { authPlugins: authWithoutProof(password) }),
    ...(rules && { stream: () => openUnder(rules, settings) }),
    connectTimeout: connectTimeoutMs,
    connectAttributes: { program_name: 'vkit' },
    charset: 'utf8mb4_bin',
    // A server may ask for a local file after any statement.
    flags: ['-LOCAL_FILES', '-MULTI_STATEMENTS'],
    multipleStatements: false,
    enableCleartextPlugin: false,
    // No code is made of what a server says of its columns.
    disableEval: true,
    trace: false,
    rowsAsArray: true,
    maxPreparedStatements: PREPARED_MAX,
    // Text is lossless; what the package makes of large numbers, dates and JSON is not.
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    jsonStrings: true,
    timezone: 'Z' as const,
  };
}

function openUnder(rules: AddressRules, { host, port, socketPath }: MysqlSettings): GuardedSocket {
  const socket = new GuardedSocket(rules);
  socket.setNoDelay(true);
  return socketPath === undefined ? socket.connect(port, host) : socket.connect(socketPath);
}

function tlsOptions(
  { ca, rejectUnauthorized }: Exclude<ServerSettings['ssl'], false>,
  mode: ServerSettings['sslMode'],
) {
  return {
    ...(typeof ca === 'string' ? { ca } : {}),
    rejectUnauthorized: rejectUnauthorized !== false,
    verifyIdentity: mode === 'verify-full',
  };
}
