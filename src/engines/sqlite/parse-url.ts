import { fileURLToPath } from 'node:url';
import { VkitError } from '../../errors/index.js';
import type { Credentials } from '../contract.js';

/**
 * Reads `sqlite:data.db`, `sqlite:///var/data.db`, `file:///var/data.db` and plain paths. There are no
 * credentials and no options. Throws `invalid_input`.
 */
export function parseSqliteUrl(text: string): {
  config: Record<string, unknown>;
  credentials: Credentials;
} {
  const path = pathOf(text.trim());
  if (path === '' || path === ':memory:' || path.includes('\0')) {
    throw new VkitError('invalid_input', 'The SQLite URL names no file.', {
      hint: 'Write sqlite:./data.db, or the path of the file.',
    });
  }
  return { config: { path }, credentials: {} };
}

function pathOf(text: string): string {
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]+):(.*)$/is.exec(text) ?? [];
  if (scheme === undefined) return text;
  if (scheme.toLowerCase() === 'sqlite') return rest.replace(/^\/\/(?=\/|\.)/, '');
  if (scheme.toLowerCase() === 'file' && URL.canParse(text)) {
    try {
      return fileURLToPath(text);
    } catch {
      // A host, or a part that is no file name; refused below without repeating it.
      return '';
    }
  }
  throw new VkitError('invalid_input', 'The URL is not one of a SQLite file.', {
    hint: 'Write sqlite:./data.db, or the path of the file.',
  });
}
