import { MYSQL_PAYLOADS } from './payloads-mysql.js';
import { NAME_PAYLOADS } from './payloads-names.js';
import { POSTGRES_PAYLOADS } from './payloads-postgres.js';
import { SHARED_PAYLOADS } from './payloads-shared.js';
import { SQLITE_PAYLOADS } from './payloads-sqlite.js';

export type AttackedEngine = 'sqlite' | 'postgres' | 'mysql';

/** Where in a query a payload stands. */
export type Place =
  | 'value'
  | 'number'
  | 'like'
  | 'list'
  | 'field'
  | 'group'
  | 'table'
  | 'alias'
  | 'join_alias'
  | 'func'
  | 'having'
  | 'having_value'
  | 'order'
  | 'direction'
  | 'limit';

/** A way in which builders of SQL handle text; each payload is meant for one of them. */
export type Habit =
  /** Values between quotes as they are, names as they are. */
  | 'plain'
  /** Names between the engine's quotes as they are. */
  | 'quoted_names'
  /** Names between square brackets. */
  | 'bracketed_names'
  /** Quotes in values are doubled: right, but for what else ends a text. */
  | 'doubled'
  /** A backslash before quotes and backslashes, as `addslashes` does it. */
  | 'slashed'
  /** As `slashed`, on a connection whose character set has characters that end in a backslash. */
  | 'slashed_gbk'
  | 'slashed_big5'
  | 'slashed_sjis'
  /** Doubled, then brought into a normal form of Unicode. */
  | 'doubled_then_folded'
  /** Doubled, then decoded: percent signs, entities, escapes of JavaScript. */
  | 'doubled_then_decoded'
  /** Doubled, then cut to the 32 characters of a column. */
  | 'doubled_then_cut'
  /** Words and signs of SQL are taken out, once. */
  | 'stripped'
  /** Between `$$` of PostgreSQL. */
  | 'dollar_quoted'
  /** In an E'' string of PostgreSQL, with quotes doubled. */
  | 'escape_string'
  /** What mysql2 makes of a value on the client's side. */
  | 'formatted';

/** What shows that a payload did something. A builder that took it for text would show nothing of it. */
export type Shows =
  /** Rows, where nothing is equal to the payload or called like it. */
  | 'rows'
  /** A secret of another table in the rows, or what `pattern` says. */
  | 'leaks'
  /** A changed row, table or schema. */
  | 'writes'
  /** A syntax error of the engine: the payload left its quotes. */
  | 'breaks'
  /** An error of the engine whose text has the secret in it, or what `pattern` says. */
  | 'tells_in_error'
  /** Another answer where `{guess}` is right than where it is wrong. */
  | 'tells'
  /** An answer that takes WAIT_MS at least. */
  | 'waits';

export interface PayloadGroup {
  technique: string;
  engines: readonly AttackedEngine[];
  places: readonly Place[];
  /** `plain` where absent. */
  habit?: Habit;
  shows: Shows;
  pattern?: RegExp;
  /** `{guess}` stands for a first letter that is guessed. */
  texts: readonly string[];
}

/** The secret that payloads are after, the only row of a table that no registry has. */
export const SECRET = 'kestrel-9137';
export const RIGHT_GUESS = SECRET.slice(0, 1);
export const WRONG_GUESS = 'q';
export const WAIT_MS = 40;

export interface Payload extends PayloadGroup {
  text: string;
  habit: Habit;
}

/** All payloads, each with what its group says. */
export const PAYLOADS: readonly Payload[] = [
  ...SHARED_PAYLOADS,
  ...SQLITE_PAYLOADS,
  ...POSTGRES_PAYLOADS,
  ...MYSQL_PAYLOADS,
  ...NAME_PAYLOADS,
].flatMap((group) => group.texts.map((text) => ({ habit: 'plain', ...group, text }) as Payload));
