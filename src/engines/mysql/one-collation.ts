const BINARY = 'CONVERT($1 USING utf8mb4) COLLATE utf8mb4_bin';

/** A value or a column that text is compared with plainly, before it is compared binary (`compare`, `inList`). */
const EQUAL_TO = /(?<= = )(\?|`t\d+`\.`(?:[^`]|``)+`)(?= AND CAST\(CONVERT\()/g;
const LIST = /(?<= IN \()\?(?:, \?)*(?=\) AND CAST\(CONVERT\()/g;

/**
 * A statement of the dialect whose plain comparisons of text are in one collation, with which every other goes. It needs
 * the same values in the same order and answers the same rows, but has no use for an index: it is for what the server
 * refuses to compare plainly, two columns of different collations, or a value with characters that the column's
 * character set lacks.
 */
export function inOneCollation(sql: string): string {
  return sql
    .replace(EQUAL_TO, BINARY)
    .replace(LIST, (values) => values.replaceAll('?', BINARY.replace('$1', '?')));
}
