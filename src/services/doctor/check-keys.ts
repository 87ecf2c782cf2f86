import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, relative } from 'node:path';
import { openRepository } from '../../git/open-repository.js';
import { type DoctorCheck, failed, failedBy, ok, skipped, warning } from './check.js';

const OTHERS = 0o077;

export interface KeyFiles {
  /** Absolute paths. */
  privateKey: string;
  publicKeys: readonly string[];
  /** Names are shown from here. */
  root: string;
}

/** The keys that sign bundles: there, for their owner alone, out of Git's reach, and a pair. Nothing of a key is told. */
export async function checkKeys(files: KeyFiles): Promise<DoctorCheck[]> {
  const shown = (path: string) => {
    const way = relative(files.root, path);
    return way.startsWith('..') ? path : way;
  };
  const name = shown(files.privateKey);
  const key = await readKey(files.privateKey, (pem) => createPrivateKey(pem));
  const publicKeys = await Promise.all(
    files.publicKeys.map(async (path) => ({
      path,
      key: await readKey(path, (pem) => createPublicKey(pem)),
    })),
  );
  const checks: DoctorCheck[] = [];
  if (key === 'absent') {
    const hint = 'To sign bundles here, make a pair: vkit keys generate';
    checks.push(skipped('keys.private', `There is no private key at ${name}.`, hint));
  } else if (key === 'unreadable') {
    const hint = 'Name a PEM file without a passphrase: VKIT_PRIVATE_KEY';
    checks.push(failed('keys.private', `${name} is no private key that can be used.`, hint));
  } else {
    checks.push(ok('keys.private', name), await checkMode(files.privateKey, name));
    checks.push(await checkExposed(files.privateKey, name));
  }
  for (const { path, key: publicKey } of publicKeys) {
    const found = checkPublic(shown(path), publicKey, key);
    if (found) checks.push(found);
  }
  return checks;
}

type Read = KeyObject | 'absent' | 'unreadable';

async function readKey(path: string, parse: (pem: string) => KeyObject): Promise<Read> {
  try {
    return parse(await readFile(path, 'utf8'));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'absent' : 'unreadable';
  }
}

async function checkMode(path: string, name: string): Promise<DoctorCheck> {
  const id = 'keys.mode';
  // There the rights of a file are those of its folder.
  if (process.platform === 'win32') return skipped(id, 'Windows has no modes of files.');
  const { mode } = await stat(path);
  const text = (mode & 0o777).toString(8).padStart(4, '0');
  if ((mode & OTHERS) === 0) return ok(id, `${name} has mode ${text}`);
  const message = `${name} has mode ${text}: other accounts of this machine can use it.`;
  return failed(id, message, `chmod 600 ${JSON.stringify(name)}`);
}

async function checkExposed(path: string, name: string): Promise<DoctorCheck> {
  const id = 'keys.ignored';
  try {
    const repository = await openRepository(dirname(path));
    if (!repository) return ok(id, `${name} is in no Git work tree`);
    if (await repository.isIgnored(path)) return ok(id, `Git ignores ${name}`);
    return failed(
      id,
      `Git does not ignore ${name}, a private key.`,
      `echo '${basename(path)}' >> .gitignore — and if it was ever committed, make another: vkit keys generate`,
    );
  } catch (error) {
    return failedBy(id, error);
  }
}

function checkPublic(name: string, publicKey: Read, privateKey: Read): DoctorCheck | null {
  const id = 'keys.public';
  if (publicKey === 'absent') {
    if (privateKey === 'absent') return null;
    const hint = 'Name the one that belongs to the private key: VKIT_PUBLIC_KEY';
    return warning(id, `There is no public key at ${name}.`, hint);
  }
  if (publicKey === 'unreadable') {
    return failed(id, `${name} is no public key.`, 'Name a PEM file: VKIT_PUBLIC_KEY');
  }
  if (typeof privateKey === 'string') return ok(id, name);
  const ofPrivate = createPublicKey(privateKey);
  if (ofPrivate.equals(publicKey)) return ok(id, `${name}, of the private key`);
  return warning(
    id,
    `${name} is not the public key of the private key here.`,
    'That is as it should be while keys are changed; else name the other half: VKIT_PUBLIC_KEY',
  );
}
