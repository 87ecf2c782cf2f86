import { sha256Hex, type ViewDefinition } from '../catalog-column.js';
import { keyOf, readCatalog, type Scope, type TableName } from './catalog.js';
import { snowflakeDialect } from './dialect.js';
import { type SnowflakeRow, type SnowflakeSession, textOf } from './session.js';

/** Views on views on views, and how many names their definitions may hold. */
const DEPTH_MAX = 64;
const NAMES_MAX = 20_000;
const NAMES_PER_STATEMENT = 500;

const COLUMNS = 'TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION';

interface View extends TableName {
  definition: string;
}

/**
 * The definitions of views, with SHA-256 (hex), by `keyOf`. A view can mean something else because a view below it does: the
 * definitions of all views whose names its own definition could mean follow it, each after its name. A view whose definition
 * the role may not read has no digest.
 */
export async function readViewDigests(
  session: SnowflakeSession,
  scope: Scope,
): Promise<Map<string, ViewDefinition>> {
  const roots = (await readCatalog(session, 'VIEWS', COLUMNS, scope)).map(viewOf);
  const known = new Map<string, View[]>();
  const add = (view: View) => known.set(view.name, [...(known.get(view.name) ?? []), view]);
  if (scope === 'all') roots.forEach(add);
  else (await readBelow(session, roots)).forEach(add);
  const digests = new Map<string, ViewDefinition>();
  for (const root of roots) {
    if (root.definition !== '') {
      digests.set(keyOf(root), { digest: digestOf(root, known), text: root.definition });
    }
  }
  return digests;
}

/** Every view of the database whose name stands in a definition, and in the definitions of those. */
async function readBelow(session: SnowflakeSession, roots: readonly View[]): Promise<View[]> {
  const found: View[] = [];
  const asked = new Set<string>();
  let level = roots;
  for (let depth = 0; level.length > 0; depth += 1) {
    const fresh = new Set(level.flatMap(({ definition }) => [...namesIn(definition)]));
    for (const name of asked) fresh.delete(name);
    for (const name of fresh) asked.add(name);
    if (depth > DEPTH_MAX || asked.size > NAMES_MAX) {
      throw new Error('The views of a query stand on too many others.');
    }
    level = await readNamed(session, [...fresh]);
    found.push(...level);
  }
  return found;
}

async function readNamed(session: SnowflakeSession, names: readonly string[]): Promise<View[]> {
  const database = snowflakeDialect.quoteIdentifier(session.database ?? '');
  const views: View[] = [];
  for (let at = 0; at < names.length; at += NAMES_PER_STATEMENT) {
    const part = names.slice(at, at + NAMES_PER_STATEMENT);
    const list = part.map(() => '?').join(', ');
    const rows = await session.query(
      `SELECT ${COLUMNS} FROM ${database}.INFORMATION_SCHEMA.VIEWS
        WHERE TABLE_SCHEMA <> 'INFORMATION_SCHEMA' AND TABLE_NAME IN (${list})`,
      part,
    );
    views.push(...rows.map(viewOf));
  }
  return views;
}

function viewOf([schema, name, definition]: SnowflakeRow): View {
  return { schema: textOf(schema), name: textOf(name), definition: textOf(definition) };
}

function digestOf(root: View, known: ReadonlyMap<string, readonly View[]>): string {
  const reached = new Map([[keyOf(root), root]]);
  // A map grows while it is gone through.
  for (const view of reached.values()) {
    for (const name of namesIn(view.definition)) {
      for (const below of known.get(name) ?? []) reached.set(keyOf(below), below);
    }
  }
  const below = [...reached.values()].slice(1).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const parts = below.map(
    ({ schema, name, definition }) => `\n-- ${schema}.${name}\n${definition}`,
  );
  return sha256Hex([root.definition, ...parts].join(''));
}

/** Everything in a definition that could be a name, in comments and strings too: one too many only looks closer. */
function namesIn(definition: string): Set<string> {
  const quoted = [...definition.matchAll(/"((?:[^"]|"")*)"/g)].map(([, name = '']) =>
    name.replaceAll('""', '"'),
  );
  const plain = [...definition.matchAll(/[\p{L}_][\p{L}\p{N}_$]*/gu)].map(([word]) =>
    word.toUpperCase(),
  );
  return new Set([...quoted, ...plain]);
}
