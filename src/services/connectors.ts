import { realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import type { BundleDatasource } from '../bundle/model.js';
import type { ConnectionOptions, Connector, Credentials, Engine } from '../engines/contract.js';
import type { PoolUse } from '../engines/slots.js';
import { VkitError } from '../errors/index.js';
import type { AddressRules } from '../util/outbound.js';

export interface ConnectorOptions {
  /** The engine of a datasource's `type`; throws for an unknown one. */
  engine: (name: string) => Engine;
  /** The secret of a datasource, read when a connection is opened and not kept. */
  credentials: (datasource: BundleDatasource, engine: Engine) => Credentials | Promise<Credentials>;
  /** Relative paths of a datasource start here. */
  baseDirectory: string;
  /** Files of a datasource lie below one of these; nothing else is opened. */
  fileDirectories: readonly string[];
  /** Nothing below these is ever a datasource: the server's own state. */
  forbiddenDirectories: readonly string[];
  /** Hosts that get a password in clear where they ask for it. */
  clearPasswordHosts: readonly string[];
  /** Which addresses may be dialled; absent: any. */
  addressRules?: AddressRules;
}

export interface Connectors {
  /** The pooled connection of a datasource as the active bundle describes it. */
  get(datasource: BundleDatasource): Promise<Connector>;
  /** A connection of its own, for one use: the caller closes it, and `close` does where the caller has not yet. */
  open(datasource: BundleDatasource): Promise<Connector>;
  /** Closes the pool of a datasource, whose secret is no longer what it was; the next use opens another. */
  forget(id: string): void;
  /** How full each pool is that is open at this moment, by its datasource's id. */
  use(): Promise<readonly { id: string; use: PoolUse }[]>;
  close(): Promise<void>;
}

/** One pool per datasource. When a new bundle describes it differently, the old pool is closed and a new one opened. */
export function createConnectors(options: ConnectorOptions): Connectors {
  const single = new Set<Connector>();
  const open = new Map<string, { described: string; connector: Promise<Connector> }>();
  return {
    async get(datasource) {
      const described = JSON.stringify([
        datasource.type,
        datasource.config,
        datasource.credentials ?? null,
        datasource.credentials_at ?? null,
      ]);
      const known = open.get(datasource.name);
      if (known?.described === described) return known.connector;
      if (known) closeQuietly(known.connector);
      const connector = connect(datasource, options).then((opened) =>
        FETCHED.has(datasource.credentials ?? '')
          ? fetchingAnew(opened, () => {
              // The others that use it end by themselves; the next query asks for the login again.
              if (open.get(datasource.name)?.connector === connector) open.delete(datasource.name);
            })
          : opened,
      );
      open.set(datasource.name, { described, connector });
      try {
        return await connector;
      } catch (error) {
        if (open.get(datasource.name)?.connector === connector) open.delete(datasource.name);
        throw error;
      }
    },
    async open(datasource) {
      const connector = await connect(datasource, options, { poolMax: 1 });
      const own: Connector = {
        ...connector,
        close: () => {
          single.delete(own);
          return connector.close();
        },
      };
      single.add(own);
      return own;
    },
    forget(id) {
      const known = open.get(id);
      open.delete(id);
      if (known) closeQuietly(known.connector);
    },
    async use() {
      const pools = [...open].map(async ([id, { connector }]) => {
        // One that cannot be opened is no pool.
        const use = (await connector.catch(() => null))?.use?.();
        return use === undefined ? [] : [{ id, use }];
      });
      return (await Promise.all(pools)).flat();
    },
    async close() {
      const all = [...open.values()];
      open.clear();
      await Promise.allSettled([
        ...all.map(async ({ connector }) => (await connector).close()),
        ...[...single].map((connector) => connector.close()),
      ]);
    },
  };
}

/** Backends outside, where a password can have been changed since a pool was opened with it. */
const FETCHED: ReadonlySet<string> = new Set(['file', 'vault', 'aws-secrets']);

/** The connector, which tells when the database cannot be reached, or does not take the login any more. */
function fetchingAnew(connector: Connector, onUnreachable: () => void): Connector {
  return {
    ...connector,
    async *run(query, run) {
      try {
        yield* connector.run(query, run);
      } catch (error) {
        if (error instanceof VkitError && error.code === 'datasource_unreachable') {
          onUnreachable();
        }
        throw error;
      }
    },
  };
}

/** A pool that failed to open or to close has nothing left to release. */
function closeQuietly(connector: Promise<Connector>): void {
  void connector.then((opened) => opened.close()).catch(() => undefined);
}

async function connect(
  datasource: BundleDatasource,
  options: ConnectorOptions,
  bounds?: ConnectionOptions,
): Promise<Connector> {
  const engine = options.engine(datasource.type);
  const config: Record<string, unknown> = { ...datasource.config };
  for (const key of engine.localFileKeys ?? []) {
    if (typeof config[key] === 'string')
      config[key] = await confine(datasource.name, config[key], options);
  }
  const { clearPasswordHosts, addressRules } = options;
  const host = engine.hostDialled?.(config);
  const refusal = host === undefined ? null : addressRules?.refusal(host, '');
  if (refusal) {
    throw new VkitError(
      'datasource_unreachable',
      `The server may not dial the address of datasource ${datasource.name}.`,
      { cause: refusal },
    );
  }
  const credentials = await secretOf(datasource, engine, options);
  const target = { id: datasource.name, config, credentials };
  return engine.connect(target, {
    ...bounds,
    clearPasswordHosts,
    ...(addressRules && { addressRules }),
  });
}

/**
 * What is wrong with a secret is for the operator's log: the requester learns only that it does not work, unless what was
 * thrown was written for them (`datasource_unreachable`).
 */
async function secretOf(
  datasource: BundleDatasource,
  engine: Engine,
  options: ConnectorOptions,
): Promise<Credentials> {
  try {
    return await options.credentials(datasource, engine);
  } catch (cause) {
    if (cause instanceof VkitError && cause.code === 'datasource_unreachable') throw cause;
    throw new VkitError(
      'datasource_unreachable',
      `The server has no working login for datasource ${datasource.name}.`,
      { hint: 'Whoever runs the server finds in its log what is missing.', cause },
    );
  }
}

/** The real path of a datasource's file, links followed, if it lies where the server may read. */
async function confine(id: string, path: string, options: ConnectorOptions): Promise<string> {
  const asked = resolve(options.baseDirectory, path);
  const allowed = await Promise.all(options.fileDirectories.map(realOrSame));
  const forbidden = await Promise.all(options.forbiddenDirectories.map(realOrSame));
  const outside = (cause?: unknown) =>
    new VkitError(
      'datasource_unreachable',
      `The file of datasource ${id} is outside of what this server may read.`,
      {
        hint: 'Name its directory under file_directories in vkit.server.yaml.',
        ...(cause === undefined ? {} : { cause }),
      },
    );
  const real = await realpath(asked).catch((cause: unknown) => {
    // What is outside is not told to be there or not.
    const named = [...allowed, ...options.fileDirectories];
    if (!named.some((directory) => isBelow(asked, directory))) throw outside(cause);
    throw new VkitError(
      'datasource_unreachable',
      `The file of datasource ${id} cannot be opened.`,
      { cause },
    );
  });
  const isAllowed = allowed.some((directory) => isBelow(real, directory));
  if (!isAllowed || forbidden.some((directory) => isBelow(real, directory))) throw outside();
  return real;
}

async function realOrSame(path: string): Promise<string> {
  // A directory that does not exist contains nothing.
  return realpath(path).catch(() => resolve(path));
}

function isBelow(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}
