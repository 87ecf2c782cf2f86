import { readFile } from 'node:fs/promises';
import { VkitError } from '../../errors/index.js';
import type { SinkDependencies } from './contract.js';

/** A secret is never in the configuration itself: it names the variable or the file that holds it. */
export interface SecretPlace {
  env?: string | undefined;
  /** Absolute. */
  file?: string | undefined;
}

/** The secret in the place that is named, undefined where none is. Throws `config_invalid` where it is empty or missing. */
export async function readSecret(
  { env, file }: SecretPlace,
  key: string,
  { variable }: Pick<SinkDependencies, 'variable'>,
): Promise<string | undefined> {
  if (env !== undefined) {
    const value = variable(env);
    if (value !== undefined) return value;
    throw new VkitError('config_invalid', `The variable ${env} that ${key} names is not set.`);
  }
  if (file === undefined) return undefined;
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new VkitError('config_invalid', `The file ${file} of ${key} cannot be read.`, { cause });
  });
  const value = text.trim();
  if (value !== '') return value;
  throw new VkitError('config_invalid', `The file ${file} of ${key} is empty.`);
}
