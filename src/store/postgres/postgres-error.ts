import { VkitError } from '../../errors/index.js';
import { duplicateMessage } from '../duplicates.js';

/** SQLSTATE of https://www.postgresql.org/docs/current/errcodes-appendix.html */
const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';
const UNTRANSLATABLE = new Set(['22021', '22P05']);
/** Of a standby, and of a transaction that the server ended since nothing came. */
const OF_THE_SESSION = new Set(['25006', '25P03']);

/** Classes that say nothing about the statement: connection, resources, operator intervention, locks, system, authorization. */
const UNAVAILABLE_CLASSES = new Set(['08', '28', '3D', '40', '53', '55', '57', '58', 'XX']);

/**
 * What the package or the server threw, as an error of vkit: `conflict` for a duplicate or a missing counterpart,
 * `unavailable` for a server that cannot be reached or used, `internal` for the rest. The server's own texts hold values of
 * rows, so of them only the code and the name of the constraint are kept.
 */
export function postgresError(error: unknown): VkitError {
  if (error instanceof VkitError) return error;
  const { code, constraint, table, detail, message } = error as Partial<Record<string, string>>;
  const isOfServer = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code);
  const cause = new Error(
    isOfServer ? `${code}${constraint ? ` ${constraint}` : ''}` : String(message ?? error),
  );
  if (code === UNIQUE_VIOLATION) {
    const columns = /^Key \(([^()]*)\)=/.exec(detail ?? '')?.[1] ?? constraint ?? '';
    const duplicate = columns
      .split(', ')
      .map((column) => `${table}.${column}`)
      .join(', ');
    return new VkitError('conflict', duplicateMessage(duplicate), {
      details: { duplicate },
      cause,
    });
  }
  if (code === FOREIGN_KEY_VIOLATION) {
    return new VkitError('conflict', 'It belongs to something that does not exist.', { cause });
  }
  if (code !== undefined && UNTRANSLATABLE.has(code)) {
    return new VkitError('validation', 'A text holds a character that cannot be stored.', {
      cause,
    });
  }
  // What has no SQLSTATE comes from the connection, or from the package's own waits for one.
  if (!isOfServer || OF_THE_SESSION.has(code) || UNAVAILABLE_CLASSES.has(code.slice(0, 2))) {
    return new VkitError('unavailable', "The server's database cannot be used.", {
      hint: 'See that the PostgreSQL of --database-url runs, takes connections and is not in recovery.',
      cause,
    });
  }
  const what = code.startsWith('23') ? 'a row it does not take' : 'a statement it refuses';
  return new VkitError('internal', `The server's database was given ${what}.`, { cause });
}
