import { readFile, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { isSeq, parseDocument } from 'yaml';
import { keyId, signingAlgorithm } from '../bundle/sign-bundle.js';
import { VkitError } from '../errors/index.js';
import { atomicWrite } from '../util/atomic-write.js';
import { readPublicKey } from './read-public-key.js';

const KEY = 'trusted_bundle_keys';

export interface TrustedBundleKey {
  /** RFC 7638 thumbprint. */
  id: string;
  alg: string;
  /** The path as it stands in the configuration. */
  file: string;
  config: string;
  /** False where the configuration named the file already. */
  added: boolean;
}

/**
 * Names a public key in a server's configuration as one that bundles may be signed with. The file is made if need be; what
 * is in it stays as it is, comments too. Throws `key_invalid` for what is no such key, a private one among others, and
 * `config_invalid` for a configuration that cannot be added to.
 */
export async function trustBundleKey(input: {
  keyFile: string;
  configFile: string;
}): Promise<TrustedBundleKey> {
  const publicKey = await readPublicKey(input.keyFile);
  const [id, alg] = [await keyId(publicKey), signingAlgorithm(publicKey)];
  const config = resolve(input.configFile);
  const text = await readConfig(config);
  const document = parseDocument(text);
  const list = document.get(KEY);
  const root = document.toJS() as unknown;
  const isMapping = root === null || (typeof root === 'object' && !Array.isArray(root));
  if (
    document.errors.length > 0 ||
    !isMapping ||
    !(list === undefined || list === null || isSeq(list))
  ) {
    throw new VkitError('config_invalid', `The server's configuration ${config} is not valid.`, {
      hint: `It is a YAML mapping, in which ${KEY} is a list of files.`,
    });
  }
  const keyPath = await realpath(input.keyFile);
  const folder = await realpath(dirname(config)).catch(() => dirname(config));
  const entries = isSeq(list) ? (list.toJSON() as unknown[]) : [];
  for (const entry of entries) {
    if (typeof entry !== 'string') continue;
    const path = await realpath(resolve(folder, entry)).catch(() => resolve(folder, entry));
    if (path === keyPath) return { id, alg, file: entry, config, added: false };
  }
  const file = pathFrom(folder, keyPath);
  if (isSeq(list)) list.add(file);
  else document.set(KEY, document.createNode([file]));
  await writeConfig(config, document.toString());
  return { id, alg, file, config, added: true };
}

/** Relative where the key lies beside or below the configuration, which then can move with it. */
function pathFrom(folder: string, path: string): string {
  const within = relative(folder, path);
  const outside = within.startsWith('..') || within === path;
  return outside ? path : join(within).replaceAll('\\', '/');
}

async function readConfig(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new VkitError('config_invalid', `The server's configuration ${path} cannot be read.`, {
      cause,
    });
  }
}

async function writeConfig(path: string, text: string): Promise<void> {
  try {
    await atomicWrite(path, text);
  } catch (cause) {
    throw new VkitError('permission_denied', `The file ${path} cannot be written.`, { cause });
  }
}
