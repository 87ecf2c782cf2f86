import { readFile, stat } from 'node:fs/promises';
import { VkitError } from '../errors/index.js';

const BYTES_MAX = 64 * 1024;

/**
 * A secret of the server's own configuration, from a variable or a file, without the line end that editors put there. Throws
 * `config_invalid` that names the key and where it looked.
 */
export async function readSecretSource(
  source: { env: string } | { file: string },
  key: string,
  variable: (name: string) => string | undefined,
): Promise<string> {
  if ('env' in source) {
    const value = variable(source.env);
    if (value !== undefined) return value;
    throw missing(`${key} is to be in the variable ${source.env}, which is not set.`);
  }
  const { file } = source;
  try {
    if ((await stat(file)).size > BYTES_MAX) {
      throw missing(`The file ${file} of ${key} has more than ${BYTES_MAX} bytes.`);
    }
    const text = (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
    if (text !== '') return text;
  } catch (cause) {
    if (cause instanceof VkitError) throw cause;
    throw missing(`The file ${file} of ${key} cannot be read.`, cause);
  }
  throw missing(`The file ${file} of ${key} is empty.`);
}

function missing(message: string, cause?: unknown): VkitError {
  return new VkitError('config_invalid', message, {
    hint: 'Correct it in vkit.server.yaml, or put the secret there.',
    ...(cause === undefined ? {} : { cause }),
  });
}
