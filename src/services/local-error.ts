import type { Engine } from '../engines/contract.js';
import { errorCode } from '../engines/driver-error.js';
import { type ErrorCodeName, VkitError } from '../errors/index.js';
import type { Datasource } from '../project/parse-datasource-file.js';

/** What the reviewed file says about the place of a database. */
interface Place {
  /** `shop`, in quotes. */
  id: string;
  address: string;
  host: string;
  database: string;
  file: string;
  /** What to do about a login that is wrong, and about a password that is missing. */
  login: string;
  password: string;
  /** Where more is said of a failure. */
  more: string;
}

/** That a server reached the database, and whether with a password of its vault. */
export interface ServersReach {
  inVault: boolean;
}

type Advice = (place: Place) => readonly [message: string, hint: string];

const LOGIN: Advice = ({ address, id, login }) => [
  `${address} refused the login of datasource ${id}.`,
  `${login}, and from where the database lets them in.`,
];
const NO_HOST: Advice = ({ host, id }) => [
  `The host ${host} of datasource ${id} was not found.`,
  'Check its name in the file of the datasource, and the network.',
];
const NO_WAY: Advice = ({ address, id }) => [
  `No network leads to ${address}, the address of datasource ${id}.`,
  'Check the address in the file of the datasource, and the network.',
];
const CUT_OFF: Advice = ({ address, id }) => [
  `${address} ended the connection of datasource ${id}.`,
  'Check that the address is the one of the database, and that it runs.',
];
const UNTRUSTED: Advice = ({ address, id }) => [
  `The certificate of ${address} is not one that datasource ${id} trusts.`,
  'Name the certificate of its authority as ssl_root_cert in the file of the datasource.',
];

/**
 * What the code of a failure says. The sentences are made of the datasource's own file alone: the text of a driver or of
 * a database may quote anything, and is in no one of them.
 */
const ADVICE: Readonly<Record<string, Advice>> = {
  ENOENT: ({ file, address, id }) =>
    file === ''
      ? [`There is no ${address}, where datasource ${id} listens.`, 'Check that the database runs.']
      : [`The file ${file} of datasource ${id} does not exist.`, 'Correct its path, or make it.'],
  EISDIR: ({ file, id }) => [
    `What is at ${file} is no file, as datasource ${id} has it.`,
    'Correct its path.',
  ],
  SQLITE_CANTOPEN: ({ file, id }) => [
    `The file ${file} of datasource ${id} cannot be opened.`,
    'Check that you may read it, and the folder it lies in.',
  ],
  SQLITE_NOTADB: ({ file, id }) => [
    `The file ${file} of datasource ${id} is no SQLite database.`,
    'Correct its path. An encrypted file cannot be read.',
  ],
  SQLITE_IOERR: ({ file, id }) => [
    `The disk failed to read the file ${file} of datasource ${id}.`,
    'Check the disk, or copy the file to another one.',
  ],
  SQLITE_BUSY: ({ file, id }) => [
    `Another program keeps the file ${file} of datasource ${id} locked.`,
    'Try again when it is done.',
  ],
  ECONNREFUSED: ({ address, id }) => [
    `${address} refused the connection of datasource ${id}.`,
    'Check host and port in the file of the datasource, and that the database runs.',
  ],
  ENOTFOUND: NO_HOST,
  EAI_AGAIN: NO_HOST,
  ETIMEDOUT: ({ address, id }) => [
    `${address}, the address of datasource ${id}, did not answer in time.`,
    'Check the address in the file of the datasource, and the firewalls on the way to it.',
  ],
  EHOSTUNREACH: NO_WAY,
  ENETUNREACH: NO_WAY,
  ECONNRESET: CUT_OFF,
  EPIPE: CUT_OFF,
  TLS_NOT_OFFERED: ({ address, id }) => [
    `${address} offers no TLS, which datasource ${id} asks for.`,
    'Switch it on there, or correct ssl_mode in the file of the datasource.',
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: ({ host, id }) => [
    `The certificate that datasource ${id} was shown is not one of ${host}.`,
    'Write the name that the certificate is for as host in the file of the datasource.',
  ],
  CERT_HAS_EXPIRED: ({ address, id }) => [
    `The certificate of ${address}, the address of datasource ${id}, has expired.`,
    'Renew it there.',
  ],
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  '3D000': ({ database, address, id }) => [
    `The database ${database} of datasource ${id} does not exist at ${address}.`,
    'Correct its name in the file of the datasource, or make it.',
  ],
  '28P01': LOGIN,
  // Snowflake: a wrong password, and tokens and keys that it does not take.
  '390100': LOGIN,
  '390144': LOGIN,
  '390303': LOGIN,
  '390318': LOGIN,
  '28000': LOGIN,
  ER_ACCESS_DENIED_ERROR: LOGIN,
  ER_DBACCESS_DENIED_ERROR: LOGIN,
  address_refused: ({ address, id }) => [
    `This server may not dial ${address}, the address of datasource ${id}.`,
    'Whoever runs the server lists its network or its host name under datasource_addresses in vkit.server.yaml, if that is meant.',
  ],
  PASSWORD_IN_CLEAR: ({ address, id }) => [
    `${address} asks for the password of datasource ${id} in clear, and nobody has verified that it is the right server.`,
    'Set ssl_mode to verify-full in the file of the datasource, or have the database ask for a proof of it (scram-sha-256).',
  ],
  PASSWORD_MISSING: ({ address, id, password }) => [
    `${address} asks for a password, and datasource ${id} has none.`,
    password,
  ],
  '53300': ({ address, id }) => [
    `${address} has no free connection for datasource ${id}.`,
    'Try again when fewer programs use it.',
  ],
  '57P03': ({ address, id }) => [
    `The database server at ${address}, of datasource ${id}, is starting or stopping.`,
    'Try again in a moment.',
  ],
};

/** What is said where the code of the failure is not enough, or nothing to go by. */
const GENERAL: Partial<Record<ErrorCodeName, Advice>> = {
  datasource_unreachable: ({ address, file, id, more }) => [
    `The datasource ${id} cannot be reached at ${file || address}.`,
    `Check its address, its login and the network. ${more}`,
  ],
  query_timeout: ({ id }) => [
    `The catalog of datasource ${id} could not be read in time.`,
    'Try again when the database is less busy, or name fewer tables under include in its file.',
  ],
  datasource_error: ({ id, more }) => [`The datasource ${id} answered with an error.`, more],
};

/**
 * The same error with the reason that the owner of the project needs, for somebody at their own terminal with their own
 * files, or for somebody who administers the datasources of a server. A server answers its requesters with the error as it
 * was: they are told no address, no file and no reason.
 */
export function localError(
  error: unknown,
  datasource: Pick<Datasource, 'id' | 'config'>,
  engine: Engine,
  server?: ServersReach,
): unknown {
  if (!(error instanceof VkitError)) return error;
  const general = GENERAL[error.code];
  if (general === undefined) return error;
  const code = error.code === 'datasource_error' ? undefined : errorCode(error.cause);
  const advice = code !== undefined && Object.hasOwn(ADVICE, code) ? ADVICE[code] : undefined;
  const [message, hint] = (advice ?? general)(placeOf(datasource, engine, server));
  return new VkitError(error.code, message, { hint, cause: error.cause });
}

function adviceOnLogin(id: string, isInVault: boolean): Pick<Place, 'login' | 'password'> {
  const variables = `VKIT_DS_${id.toUpperCase()}`;
  return isInVault
    ? {
        login: `Check user name and password (vkit datasource update ${id})`,
        password: `Give it: vkit datasource update ${id} --password-stdin`,
      }
    : {
        login: `Check ${variables}_USERNAME and ${variables}_PASSWORD`,
        password: `Set ${variables}_PASSWORD.`,
      };
}

function placeOf(
  { id, config }: Pick<Datasource, 'id' | 'config'>,
  engine: Engine,
  server: ServersReach | undefined,
): Place {
  // What has no host of its own is known by its account.
  const { account = '', host = account, database = '', path = '' } = config;
  const properties = (engine.configSchema.properties ?? {}) as Record<
    string,
    { default?: unknown }
  >;
  const port = config.port ?? properties.port?.default;
  const name = String(host);
  const isAddress6 = name.includes(':');
  return {
    id: `"${id}"`,
    // A host that is a path is the folder of a socket.
    address: name.startsWith('/')
      ? `socket in ${name}`
      : `${isAddress6 ? `[${name}]` : name}${port === undefined ? '' : `:${port}`}`,
    host: name,
    database: `"${database}"`,
    file: String(path),
    ...adviceOnLogin(id, server?.inVault ?? false),
    more: server
      ? 'The log of the server has what the driver said.'
      : 'VKIT_DEBUG=1 shows what the driver said.',
  };
}
