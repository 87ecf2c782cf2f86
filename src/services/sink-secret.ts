import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KEYS_FOLDER } from '../store/data-directory.js';
import { atomicWrite } from '../util/atomic-write.js';

const SECRET_BYTES = 32;

/**
 * The secret of a sink that names none, made once with mode 0600 as `<dataDir>/keys/sink_<name>.secret`, where whoever runs the
 * receiver gets it from.
 */
export async function ownSinkSecret(dataDir: string, name: string): Promise<string> {
  const path = join(dataDir, KEYS_FOLDER, `sink_${name}.secret`);
  try {
    const secret = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}\n`;
    await atomicWrite(path, secret, { mode: 0o600, exclusive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return (await readFile(path, 'utf8')).trim();
}
