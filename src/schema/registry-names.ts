import { isCleanText } from '../util/utf8.js';

/** PostgreSQL allows 63 bytes, Snowflake 255 characters, BigQuery 1,024 for a table. */
export const NAME_CHARACTERS_MAX = 512;

/**
 * Whether a table's or column's name can stand in a registry. One that cannot is left out and so never served: an empty
 * name, `__proto__`, a name that is not text, or an endless one.
 */
export function isUsableName(name: string): boolean {
  // Nearly every name there is.
  if (/^[\w .-]{1,63}$/.test(name)) return name !== '__proto__';
  return (
    name !== '' && name !== '__proto__' && name.length <= NAME_CHARACTERS_MAX && isCleanText(name)
  );
}
