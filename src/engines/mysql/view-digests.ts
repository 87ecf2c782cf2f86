import { type CatalogColumn, sha256Hex, type ViewDefinition } from '../catalog-column.js';
import {
  keyOf,
  readCatalog,
  readColumns,
  type Scope,
  SYSTEM_SCHEMAS,
  type TableName,
} from './catalog.js';
import { type MysqlSession, textOf } from './session.js';

/** Views on views on views, and how many of them one query may touch. */
const DEPTH_MAX = 64;
const VIEWS_MAX = 2_000;

/** An identifier with the dot that follows it, or a string, as the servers print a view's definition. */
const TOKEN = /`((?:[^`]|``)*)`(\.?)|'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"/gs;

interface View extends TableName {
  definition: string;
}

/**
 * The definitions of views as the server prints them, with SHA-256 (hex), by `keyOf`. A view can mean something else because a
 * view below it does: theirs follow its own, each after its name. It stands on the names of columns and not on columns: of the
 * tables below it follow those that it names, with their types and positions, as far as the login sees them. A view whose
 * definition the login may not read has none.
 */
export async function readViewDigests(
  session: MysqlSession,
  scope: Scope,
): Promise<Map<string, ViewDefinition>> {
  const views = new Map<string, View>();
  const asked = new Map<string, TableName>();
  let next: Scope = scope;
  for (let depth = 0; next === 'all' || next.length > 0; depth += 1) {
    if (depth > DEPTH_MAX || asked.size > VIEWS_MAX) {
      throw new Error('The views of a query stand on too many others.');
    }
    if (next !== 'all') for (const name of next) asked.set(keyOf(name), name);
    const found = await readViews(session, next);
    for (const view of found) views.set(keyOf(view), view);
    if (next === 'all') break;
    const below = found.flatMap(({ definition }) => namesIn(definition));
    const fresh = new Map(below.map((name) => [keyOf(name), name]));
    next = [...fresh].filter(([key]) => !asked.has(key)).map(([, name]) => name);
  }
  const tables = await readColumns(session, scope === 'all' ? scope : namesOfTables(asked, views));
  const roots = scope === 'all' ? [...views.keys()] : scope.map(keyOf);
  const digests = new Map<string, ViewDefinition>();
  for (const key of roots) {
    const view = views.get(key);
    if (view && view.definition !== '') {
      const digest = digestOf(view, views, tables);
      digests.set(key, { digest, text: view.definition });
    }
  }
  return digests;
}

async function readViews(session: MysqlSession, scope: Scope): Promise<View[]> {
  const columns = 'TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION';
  const rows = await readCatalog(session, 'VIEWS', columns, scope);
  return rows.map(([schema, name, definition]) => ({
    schema: textOf(schema),
    name: textOf(name),
    definition: textOf(definition),
  }));
}

function namesOfTables(asked: ReadonlyMap<string, TableName>, views: ReadonlyMap<string, View>) {
  return [...asked].filter(([key]) => !views.has(key)).map(([, name]) => name);
}

function digestOf(
  root: View,
  views: ReadonlyMap<string, View>,
  tables: ReadonlyMap<string, readonly CatalogColumn[]>,
): string {
  const reached = new Map([[keyOf(root), root]]);
  const parts = new Map<string, string>();
  // A map grows while it is gone through.
  for (const view of reached.values()) {
    for (const name of namesIn(view.definition)) {
      const key = keyOf(name);
      const below = views.get(key);
      if (below) reached.set(key, below);
      if (key !== keyOf(root)) parts.set(key, `\n-- ${name.schema}.${name.name}\n`);
    }
  }
  const words = new Set([...reached.values()].flatMap(({ definition }) => wordsIn(definition)));
  for (const [key, heading] of parts) {
    const text = views.get(key)?.definition ?? columnsText(tables.get(key) ?? [], words);
    if (text === '') parts.delete(key);
    else parts.set(key, heading + text);
  }
  const below = [...parts].sort(([one], [other]) => (one < other ? -1 : 1));
  return sha256Hex([root.definition, ...below.map(([, text]) => text)].join(''));
}

/** The columns that views name; a column that none names can come and go. */
function columnsText(columns: readonly CatalogColumn[], words: ReadonlySet<string>): string {
  return columns
    .filter(({ name }) => words.has(name.toLowerCase()))
    .map(({ name, type, position }) => `${position} ${name} ${type}\n`)
    .join('');
}

/** Every quoted name, in lower case: names of columns ignore the case. */
function wordsIn(definition: string): string[] {
  return [...definition.matchAll(TOKEN)]
    .filter(([, quoted]) => quoted !== undefined)
    .map(([, quoted = '']) => quoted.replaceAll('``', '`').toLowerCase());
}

/** Every first pair of names with a dot between them: those of tables are among them. */
function namesIn(definition: string): TableName[] {
  const names: TableName[] = [];
  let before: { name: string; end: number; isSecond: boolean } | undefined;
  for (const match of definition.matchAll(TOKEN)) {
    const [token, quoted, dot] = match;
    if (quoted === undefined) continue;
    const name = quoted.replaceAll('``', '`');
    // What the system's own views mean is the server's version.
    const isSecond = before?.end === match.index;
    // The second and the third of three are a table and its column.
    const isPair = isSecond && !before?.isSecond && !SYSTEM_SCHEMAS.includes(before?.name ?? '');
    if (before && isPair) names.push({ schema: before.name, name });
    before = dot === '.' ? { name, end: match.index + token.length, isSecond } : undefined;
  }
  return names;
}
