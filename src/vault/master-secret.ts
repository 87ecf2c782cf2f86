import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { VkitError } from '../errors/index.js';
import { atomicWrite } from '../util/atomic-write.js';
import { deriveKey } from './derive-key.js';

/** What every key of the vault is derived from. */
export interface MasterSecret {
  /** Tells master secrets apart; says nothing of one that would be cheaper to try than a sealed secret is. */
  id: string;
  secret: Buffer;
}

export interface MasterSource {
  /** Throws what is wrong with the one that is configured; where none is, there is nothing to check before it is needed. */
  check(): Promise<void>;
  /** The one that seals; made where none is configured and none was made before. */
  forSealing(): Promise<MasterSecret>;
  /** The one of this id; null where the server does not have it. */
  forOpening(id: string): Promise<MasterSecret | null>;
}

export interface MasterSourceOptions {
  org: string;
  /** The secret itself (VKIT_MASTER_KEY); wins over the file. */
  text?: string;
  /** A file that holds it. */
  file?: string;
  /** Those that were used before: they open what they sealed, and seal nothing. */
  previous?: { text?: string; files?: readonly string[] };
  /** Where one is made and kept while neither is given; one that was made before opens what it sealed. */
  ownFile: string;
  /** Whether anything is sealed yet: then one that is missing is lost, and is not replaced by another. */
  isAnythingSealed: () => Promise<boolean>;
}

/** In characters. A sealed secret can be tried offline by whoever has the database: long and random is better. */
const CHARACTERS_MIN = 12;
const BYTES_MAX = 64 * 1024;
const OWN_BYTES = 32;
const ID_CHARACTERS = 16;

/** Reads the master secret when it is first needed, and holds it. Throws `key_invalid` and `key_exposed`. */
export function createMasterSource(options: MasterSourceOptions): MasterSource {
  let held: Promise<MasterSecret> | undefined;
  const load = (make: boolean): Promise<MasterSecret> => {
    if (held) return held;
    const loading = read(options, make).then((secret) => withId(options.org, secret));
    held = loading;
    loading.catch(() => {
      if (held === loading) held = undefined;
    });
    return loading;
  };
  let heldBefore: Promise<MasterSecret[]> | undefined;
  const loadBefore = (): Promise<MasterSecret[]> => {
    if (heldBefore) return heldBefore;
    const loading = readBefore(options).then((secrets) =>
      Promise.all(secrets.map((secret) => withId(options.org, secret))),
    );
    heldBefore = loading;
    loading.catch(() => {
      if (heldBefore === loading) heldBefore = undefined;
    });
    return loading;
  };
  return {
    async check() {
      await configured(options);
      await readBefore(options);
    },
    forSealing: () => load(true),
    async forOpening(id) {
      const master = await load(false);
      if (master.id === id) return master;
      return (await loadBefore()).find((before) => before.id === id) ?? null;
    },
  };
}

/** Kept from turning the opening of one secret into a search. */
const PREVIOUS_MAX = 8;

async function readBefore({ previous, ownFile, ...given }: MasterSourceOptions): Promise<Buffer[]> {
  const { text, files = [] } = previous ?? {};
  if (files.length > PREVIOUS_MAX) {
    throw new VkitError(
      'limit_exceeded',
      `At most ${PREVIOUS_MAX} master secrets are previous ones.`,
    );
  }
  const found = text === undefined ? [] : [checked(text, 'VKIT_MASTER_KEY_PREVIOUS')];
  for (const file of files) found.push(await readMaster(file));
  // The one that the server made for itself, before somebody gave it another.
  const own = given.text === undefined && given.file === undefined;
  const made = own ? null : await readMaster(ownFile, true);
  return made ? [...found, made] : found;
}

/** As slow to try as a sealed secret is: the id lies beside it. The organisation keeps tables of ids from being of use. */
async function withId(org: string, secret: Buffer): Promise<MasterSecret> {
  const key = await deriveKey(secret, Buffer.from(`vkit master secret of ${org}`, 'utf8'));
  return { id: `mk_${key.export().toString('hex').slice(0, ID_CHARACTERS)}`, secret };
}

async function configured({ text, file }: MasterSourceOptions): Promise<Buffer | null> {
  if (text !== undefined) return checked(text, 'VKIT_MASTER_KEY');
  return file === undefined ? null : readMaster(file);
}

async function read(options: MasterSourceOptions, make: boolean): Promise<Buffer> {
  const given = await configured(options);
  if (given) return given;
  const { ownFile } = options;
  const own = await readMaster(ownFile, true);
  if (own) return own;
  if (!make || (await options.isAnythingSealed())) {
    throw new VkitError('key_invalid', `The master secret ${ownFile} is missing.`, {
      hint: 'Restore it from the backup of the data directory: what it sealed opens with nothing else.',
    });
  }
  const made = `${randomBytes(OWN_BYTES).toString('base64')}\n`;
  await atomicWrite(ownFile, made, { mode: 0o600, exclusive: true }).catch((error: unknown) => {
    // Another process made it at this moment: both use that one.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  });
  return readMaster(ownFile);
}

async function readMaster(path: string): Promise<Buffer>;
async function readMaster(path: string, optional: true): Promise<Buffer | null>;
async function readMaster(path: string, optional = false): Promise<Buffer | null> {
  let text: string;
  try {
    const { mode, size } = await stat(path);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) throw exposed(path);
    if (size > BYTES_MAX) throw unfit(path, `holds more than ${BYTES_MAX} bytes`);
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof VkitError) throw cause;
    if (optional && (cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new VkitError('key_invalid', `The master secret ${path} cannot be read.`, {
      hint: 'Correct master_key_file, or make it: (umask 077; openssl rand -base64 32 > FILE)',
      cause,
    });
  }
  return checked(text.replace(/\r?\n$/, ''), path);
}

/** What the secret is does not matter, as long as nobody guesses it; its length is all that is ever said of it. */
function checked(text: string, where: string): Buffer {
  if ([...text].length < CHARACTERS_MIN) {
    throw unfit(where, `has fewer than ${CHARACTERS_MIN} characters`);
  }
  return Buffer.from(text, 'utf8');
}

function unfit(where: string, why: string): VkitError {
  return new VkitError('key_invalid', `The master secret of ${where} ${why}.`, {
    hint: 'Make one: openssl rand -base64 32',
  });
}

function exposed(path: string): VkitError {
  return new VkitError('key_exposed', `Other accounts can read the master secret ${path}.`, {
    hint: `chmod 600 ${JSON.stringify(path)}, and change what it sealed if somebody may have read it.`,
  });
}
