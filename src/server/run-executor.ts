import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { calculateJwkThumbprint } from 'jose';
import type { ServerConfig } from '../config/server-config.js';
import { engineByName } from '../engines/index.js';
import { VkitError } from '../errors/index.js';
import { checkPeerUrl } from '../services/executor/check-peer-url.js';
import { controlLink } from '../services/executor/control-link.js';
import { createExecutor } from '../services/executor/executor.js';
import { checkExecutorToken } from '../services/executor/executor-token.js';
import { readTrustedBundleKeys } from '../services/trusted-bundle-keys.js';
import { parseAddressList } from '../util/address-list.js';
import { listedRules } from '../util/outbound.js';
import { createExecutorServer } from './create-executor-server.js';
import { DRAIN_MS, listen, stopSignal, withDeadline } from './process.js';
import type { RunServerOptions } from './run-server-options.js';

/** The data plane alone: keeps no state, and does nothing that its control plane has not sent a ticket for. */
export async function runExecutor(options: RunServerOptions, config: ServerConfig): Promise<void> {
  const token = checkExecutorToken(options.executorToken);
  checkPeerUrl(config.control_url, 'VKIT_API_URL', config.clear_password_hosts);
  if (config.grant_keys.length === 0) {
    throw new VkitError(
      'config_invalid',
      'An executor needs the key that grants are signed with.',
      {
        hint: 'Name its file in FUNL_PUBLIC_KEY; the control plane has it at /.well-known/jwks.json.',
      },
    );
  }
  const grantKeys = grantKeyReader(config.grant_keys);
  // What cannot be used is found now, not at the first query.
  await grantKeys();
  // Whoever holds a key of the control plane would decide what is enforced here, if it signed bundles too.
  const trustedBundleKeys = async () => {
    const own = [...(await grantKeys()).values()];
    return (await readTrustedBundleKeys(config.trusted_bundle_keys, own)).keys;
  };
  await trustedBundleKeys();
  const own = `http://${config.host}:${config.port}`;
  const audiences = config.executor_urls.length > 0 ? config.executor_urls : [own];
  const executor = createExecutor({
    trust: {
      org: config.org,
      trustedBundleKeys,
      settings: {
        allowUnsignedBundles: config.allow_unsigned_bundles,
        allowDirtyBundles: config.allow_dirty_bundles,
      },
    },
    audiences: audiences.map((url) => url.replace(/\/+$/, '')),
    grantKeys,
    control: controlLink({ url: config.control_url.replace(/\/+$/, ''), token, fetch }),
    engine(name) {
      const found = engineByName(name);
      if (found) return found;
      throw new VkitError(
        'unsupported',
        `This executor has no engine called ${name.slice(0, 32)}.`,
      );
    },
    connections: {
      baseDirectory: options.cwd,
      fileDirectories: config.file_directories,
      forbiddenDirectories: [],
      clearPasswordHosts: config.clear_password_hosts,
      ...(config.datasource_addresses && {
        addressRules: listedRules(
          parseAddressList(config.datasource_addresses, 'datasource_addresses'),
          'datasource_addresses',
        ),
      }),
    },
    now: Date.now,
    clock: () => performance.now(),
  });
  const server = createExecutorServer(executor, {
    token,
    version: options.version,
    logLevel: config.log_level,
  });
  try {
    const url = await listen(() => server.listen({ host: config.host, port: config.port }), config);
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ status: 'listening', role: 'executor', url, org: config.org, control_url: config.control_url })}\n`
        : `vkit ${options.version} executes for organisation ${config.org} at ${url}\nControl plane: ${config.control_url}\n`,
    );
    await stopSignal(options);
    server.log.info('draining');
    const drained = await withDeadline(server.close(), DRAIN_MS);
    if (!drained) server.log.warn(`queries were still running after ${DRAIN_MS / 1000} s`);
  } finally {
    await executor.close();
  }
  server.log.info('stopped');
}

/** How long keys that were read hold: one that is taken out of its file is trusted no longer than this. */
const KEYS_HELD_MS = 2_000;

function grantKeyReader(paths: readonly string[]): () => Promise<ReadonlyMap<string, KeyObject>> {
  let held: { keys: Promise<ReadonlyMap<string, KeyObject>>; until: number } | undefined;
  return () => {
    if (!held || held.until <= performance.now())
      held = { keys: readGrantKeys(paths), until: performance.now() + KEYS_HELD_MS };
    return held.keys;
  };
}

async function readGrantKeys(paths: readonly string[]): Promise<ReadonlyMap<string, KeyObject>> {
  const keys = new Map<string, KeyObject>();
  for (const path of paths) {
    for (const key of await keysOfFile(path))
      keys.set(await calculateJwkThumbprint(key, 'sha256'), key);
  }
  return keys;
}

async function keysOfFile(path: string): Promise<KeyObject[]> {
  try {
    const text = await readFile(path, 'utf8');
    if (/PRIVATE KEY/.test(text)) throw new Error('a private key');
    if (!text.trimStart().startsWith('{')) return [createPublicKey(text)];
    const { keys } = JSON.parse(text) as { keys: (object & { vkit_use?: unknown })[] };
    // A set of the control plane's has the keys of its audit log too, which sign no grant.
    const ofGrants = keys.filter(({ vkit_use: use }) => use === undefined || use === 'grant');
    return ofGrants.map((key) => {
      if ('d' in key || 'k' in key) throw new Error('a private key');
      return createPublicKey({ key: key as never, format: 'jwk' });
    });
  } catch (cause) {
    throw new VkitError(
      'key_invalid',
      `The grant key ${path} is not a public key in a PEM file or a JWK Set.`,
      { hint: 'Take it from the control plane: curl -fsS URL/.well-known/jwks.json', cause },
    );
  }
}
