import { sha256Hex } from '../catalog-column.js';
import { keyOf, readCatalog, type Scope, SYSTEM_SCHEMAS, type TableName } from './catalog.js';
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
 * SHA-256 (hex) of the definitions of views as the server prints them, by `keyOf`. A view can mean something else because a
 * view below it does: theirs follow its own, each after its name. A view whose definition the login may not read has none.
 */
export async function readViewDigests(
  session: MysqlSession,
  scope: Scope,
): Promise<Map<string, string>> {
  const views = new Map<string, View>();
  const asked = new Set<string>();
  let next: Scope = scope;
  for (let depth = 0; next === 'all' || next.length > 0; depth += 1) {
    if (depth > DEPTH_MAX || asked.size > VIEWS_MAX) {
      throw new Error('The views of a query stand on too many others.');
    }
    if (next !== 'all') for (const name of next) asked.add(keyOf(name));
    const found = await readViews(session, next);
    for (const view of found) views.set(keyOf(view), view);
    if (next === 'all') break;
    const below = found.flatMap(({ definition }) => namesIn(definition));
    const fresh = new Map(below.map((name) => [keyOf(name), name]));
    next = [...fresh].filter(([key]) => !asked.has(key)).map(([, name]) => name);
  }
  const roots = scope === 'all' ? [...views.keys()] : scope.map(keyOf);
  const digests = new Map<string, string>();
  for (const key of roots) {
    const view = views.get(key);
    if (view && view.definition !== '') digests.set(key, digestOf(view, views));
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

function digestOf(root: View, views: ReadonlyMap<string, View>): string {
  const reached = new Map([[keyOf(root), root]]);
  // A map grows while it is gone through.
  for (const view of reached.values()) {
    for (const name of namesIn(view.definition)) {
      const below = views.get(keyOf(name));
      if (below) reached.set(keyOf(below), below);
    }
  }
  const below = [...reached.values()].slice(1).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const parts = below.map(
    ({ schema, name, definition }) => `\n-- ${schema}.${name}\n${definition}`,
  );
  return sha256Hex([root.definition, ...parts].join(''));
}

/** Every pair of names with a dot between them: those of tables are among them. */
function namesIn(definition: string): TableName[] {
  const names: TableName[] = [];
  let before: { name: string; end: number } | undefined;
  for (const match of definition.matchAll(TOKEN)) {
    const [token, quoted, dot] = match;
    if (quoted === undefined) continue;
    const name = quoted.replaceAll('``', '`');
    // What the system's own views mean is the server's version.
    const isPair = before?.end === match.index && !SYSTEM_SCHEMAS.includes(before.name);
    if (before && isPair) names.push({ schema: before.name, name });
    before = dot === '.' ? { name, end: match.index + token.length } : undefined;
  }
  return names;
}
