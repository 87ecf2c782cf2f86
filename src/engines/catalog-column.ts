import { createHash } from 'node:crypto';
import type { ColumnOrigin, ScannedColumn, ScannedTable } from '../schema/model.js';

/** One live column; `position` counts from 1 among the columns that are not dropped. */
export interface CatalogColumn {
  name: string;
  position: number;
  /** What the engine calls the column by itself, whatever its name, where there is such a number. */
  number?: number;
  type: string;
  native: string;
  nullable: boolean;
  generated: boolean;
  default: string | null;
  comment: string | null;
  /** All columns that a generated one is made of, where they are known. */
  origins?: readonly ColumnOrigin[] | undefined;
}

/** What a scan reports of a column: of defaults the digest alone, since they can hold secrets, unless it was asked for them. */
export function scannedColumn(column: CatalogColumn, withDefinitions = false): ScannedColumn {
  const { name, type, native, position, nullable, comment } = column;
  const scanned: ScannedColumn = {
    name,
    type,
    native,
    position,
    nullable,
  };
  if (column.number !== undefined) scanned.number = column.number;
  // Not spread: a database has hundreds of thousands of columns.
  if (column.generated) scanned.generated = true;
  if (column.default !== null) scanned.default_digest = sha256Hex(column.default);
  if (comment !== null) {
    scanned.comment = comment;
    scanned.comment_digest = sha256Hex(comment);
  }
  if (column.origins !== undefined) scanned.origins = column.origins;
  if (withDefinitions) addTexts(scanned, column.default);
  return scanned;
}

/** Puts the texts beside their digests. */
export function addTexts(scanned: ScannedColumn, defaultText: string | null): void {
  const { comment } = scanned;
  if (defaultText === null && comment === undefined) return;
  scanned.texts = {
    ...(defaultText === null ? {} : { default: defaultText }),
    ...(comment === undefined ? {} : { comment }),
  };
}

/** A view's own definition, and the SHA-256 (hex) of all that it stands on. */
export interface ViewDefinition {
  digest: string;
  text: string;
}

/** What a scan reports of it; nothing of what is no view. */
export function scannedDefinition(
  definition: ViewDefinition | undefined,
  withDefinitions = false,
): Pick<ScannedTable, 'definition' | 'definition_digest'> {
  if (definition === undefined) return {};
  const { digest, text } = definition;
  return { definition_digest: digest, ...(withDefinitions ? { definition: text } : {}) };
}

/** Digests of this many short texts are kept: a few defaults and comments recur throughout a database. */
const DIGESTS_KNOWN_MAX = 1_000;
const DIGEST_CHARACTERS_MAX = 256;
const knownDigests = new Map<string, string>();

export function sha256Hex(text: string): string {
  const known = knownDigests.get(text);
  if (known !== undefined) return known;
  const digest = createHash('sha256').update(text, 'utf8').digest('hex');
  if (text.length <= DIGEST_CHARACTERS_MAX && knownDigests.size < DIGESTS_KNOWN_MAX) {
    knownDigests.set(text, digest);
  }
  return digest;
}
