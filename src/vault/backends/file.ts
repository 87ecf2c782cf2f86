import { open, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { type BackendType, fieldsOfText, type SecretFields, unavailable } from './backend.js';

export interface FileBackendConfig {
  directories: readonly string[];
}

const BYTES_MAX = 64 * 1024;
const READ_MS_MAX = 5_000;

/**
 * `<id>.json` with `username` and `password`, or a folder `<id>` with a file of each, as Kubernetes mounts secrets, in the first of
 * the directories that has it. Links are followed and must stay within; nothing of the server's own state is read.
 */
export const file: BackendType<FileBackendConfig> = {
  open({ directories }, key, { forbiddenDirectories }) {
    const readWithin = async (directory: string, path: string): Promise<string | null> => {
      const root = await realpath(directory).catch(() => null);
      const real = root && (await realpath(join(root, path)).catch(() => null));
      if (!root || !real) return null;
      const forbidden = await Promise.all(
        forbiddenDirectories.map((one) => realpath(one).catch(() => one)),
      );
      if (!isBelow(real, root) || forbidden.some((one) => isBelow(real, one))) {
        throw unavailable(
          `A file under ${key}.directories`,
          'leads out of them, or into the state of the server',
          'Put the file itself there, or name the directory it is in.',
        );
      }
      return readText(real, key);
    };
    return {
      async read({ id }) {
        for (const directory of directories) {
          const whole = await readWithin(directory, `${id}.json`);
          if (whole !== null) return fieldsOfText(whole);
          const username = await readWithin(directory, join(id, 'username'));
          const password = await readWithin(directory, join(id, 'password'));
          if (username === null && password === null) continue;
          const fields: SecretFields = {
            ...(username === null ? {} : { username }),
            ...(password === null ? {} : { password }),
          };
          return fields;
        }
        throw unavailable(
          `No directory of ${key}.directories`,
          `has a login of datasource ${id}`,
          `Write ${id}.json with "username" and "password", or ${id}/username and ${id}/password, into one of them.`,
        );
      },
    };
  },
};

/** Whatever lies there, a pipe that nobody writes to as well, keeps nobody waiting. */
async function readText(path: string, key: string): Promise<string> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw unreadable(key, 'cannot be read', cause);
  });
  try {
    const { size } = await handle.stat().then((found) => {
      if (!found.isFile()) throw unreadable(key, 'is no file');
      return found;
    });
    if (size > BYTES_MAX) throw unreadable(key, `has more than ${BYTES_MAX} bytes`);
    const text = await handle.readFile({
      encoding: 'utf8',
      signal: AbortSignal.timeout(READ_MS_MAX),
    });
    return text.replace(/\r?\n$/, '');
  } finally {
    await handle.close();
  }
}

function unreadable(key: string, why: string, cause?: unknown) {
  return unavailable(
    `A file under ${key}.directories`,
    why,
    'Let the account of the server read it.',
    cause,
  );
}

function isBelow(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}
