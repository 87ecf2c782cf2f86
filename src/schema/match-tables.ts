import type { LockDataset, Registry, RegistryLock, ScannedTable, TableIdentity } from './model.js';

export interface MatchTablesInput {
  registry: Registry;
  lock: RegistryLock;
  tables: readonly ScannedTable[];
  datasource: string;
  defaultSchema: string;
  inScope: (table: TableIdentity) => boolean;
}

export interface TableMatch {
  key: string;
  table: ScannedTable;
  /** What the last scan recorded of it. */
  lock?: LockDataset;
  /** The former name of a table that was renamed; its key stays, unless it has the name of another one now. */
  renamedFrom?: TableIdentity;
  /** `true`: the registry has no entry of this key yet. */
  added: boolean;
  /** For a table that has the object id of one that was there under another name, which is not gone: whose tags it takes. */
  tagsOf?: string;
}

export interface TableMatches {
  /** Sorted by key. */
  matches: readonly TableMatch[];
  /** Keys whose table is no longer there, sorted. */
  gone: readonly string[];
  /** Keys whose table the scan did not look for: their entries stay as they are. */
  unseen: ReadonlySet<string>;
}

/**
 * Finds for each scanned table the registry key it has, had under another name, or gets. A key, once given, never
 * changes: a renamed table keeps it, and a table whose name is taken gets its datasource in front.
 */
export function matchTables(input: MatchTablesInput): TableMatches {
  const { registry, lock, datasource } = input;
  const owned = [...registry].filter(([, dataset]) => dataset.datasource === datasource);
  const known = new Map<string, string>();
  const byOid = new Map<number, { key: string; dataset: LockDataset }>();
  for (const [key] of owned) {
    const locked = lockOf(lock, key, datasource);
    if (locked === undefined) continue;
    known.set(identityText(locked.table), key);
    if (locked.table.oid !== undefined) byOid.set(locked.table.oid, { key, dataset: locked });
  }
  const matches: TableMatch[] = [];
  const claimed = new Set<string>();
  const rest: ScannedTable[] = [];
  const claim = (match: TableMatch) => {
    matches.push(match);
    claimed.add(match.key);
  };
  for (const table of input.tables) {
    const key = known.get(identityText(table.table));
    const locked = key === undefined ? undefined : lockOf(lock, key, datasource);
    if (key === undefined || locked === undefined) rest.push(table);
    else {
      const former = objectBefore(table, locked, byOid);
      const other = former && { tagsOf: former.key, renamedFrom: former.dataset.table };
      claim({ key, table, lock: locked, added: false, ...other });
    }
  }
  // Entries that a person wrote before any scan have no identity yet, only a key.
  const fresh: ScannedTable[] = [];
  for (const table of rest) {
    const key = candidateKeys(table.table, input).find(
      (candidate) =>
        registry.get(candidate)?.datasource === datasource &&
        !claimed.has(candidate) &&
        lockOf(lock, candidate, datasource) === undefined,
    );
    if (key === undefined) fresh.push(table);
    else claim({ key, table, added: false });
  }
  const missing = owned.map(([key]) => key).filter((key) => !claimed.has(key));
  const unseen = new Set(missing.filter((key) => !input.inScope(identityOfKey(key, input))));
  const lost = missing.filter((key) => !unseen.has(key));
  const renames = findRenames(lost, fresh, lock, datasource);
  const taken = new Set(registry.keys());
  for (const table of fresh) {
    const renamed = renames.get(table);
    if (renamed !== undefined) {
      const before = lockOf(lock, renamed, datasource);
      if (before === undefined) continue;
      claim({ key: renamed, table, lock: before, renamedFrom: before.table, added: false });
      continue;
    }
    const key = freeKey(candidateKeys(table.table, input), taken);
    taken.add(key);
    const tagsOf = byOid.get(table.table.oid ?? Number.NaN)?.key;
    claim({ key, table, added: true, ...(tagsOf === undefined ? {} : { tagsOf }) });
  }
  return {
    matches: matches.sort((a, b) => (a.key < b.key ? -1 : 1)),
    gone: lost.filter((key) => !claimed.has(key)).sort(),
    unseen,
  };
}

/**
 * Whose object it is that has the name of another one now. In a restored database the ids begin anew, and one can meet
 * another table's by chance: that is told by its columns.
 */
function objectBefore(
  { table, columns }: ScannedTable,
  named: LockDataset,
  byOid: ReadonlyMap<number, { key: string; dataset: LockDataset }>,
): { key: string; dataset: LockDataset } | undefined {
  if (table.oid === undefined || table.oid === named.table.oid) return undefined;
  const former = byOid.get(table.oid);
  if (former === undefined) return undefined;
  const { fields } = former.dataset;
  const count = Object.keys(fields).length;
  const same = columns.filter(({ name }) => Object.hasOwn(fields, name)).length;
  return same * 2 > count ? former : undefined;
}

/** A table's place as one text, for comparing. */
export function identityText({ schema, name }: TableIdentity): string {
  return JSON.stringify([schema, name]);
}

/** By the engine's object id, else where the columns are the same ones and only one table lost and one found has them. */
function findRenames(
  lost: readonly string[],
  fresh: readonly ScannedTable[],
  lock: RegistryLock,
  datasource: string,
): Map<ScannedTable, string> {
  const renames = new Map<ScannedTable, string>();
  const used = new Set<string>();
  const locked = lost.flatMap((key) => {
    const dataset = lockOf(lock, key, datasource);
    return dataset === undefined ? [] : [{ key, dataset }];
  });
  const oids = new Map(
    locked.flatMap(({ key, dataset }) =>
      dataset.table.oid === undefined ? [] : [[dataset.table.oid, key] as const],
    ),
  );
  for (const table of fresh) {
    const key = table.table.oid === undefined ? undefined : oids.get(table.table.oid);
    if (key === undefined || used.has(key)) continue;
    renames.set(table, key);
    used.add(key);
  }
  const unmatched = locked.filter(({ key }) => !used.has(key));
  if (unmatched.length === 0) return renames;
  const before = groupBy(unmatched, ({ dataset }) =>
    shapeOf(dataset.kind, Object.entries(dataset.fields)),
  );
  const after = groupBy(
    fresh.filter((table) => !renames.has(table)),
    (table) =>
      shapeOf(
        table.kind,
        table.columns.map((column) => [column.name, column] as const),
      ),
  );
  for (const [shape, tables] of after) {
    const [table, other] = tables;
    const [only, second] = before.get(shape) ?? [];
    if (table === undefined || only === undefined || other !== undefined || second !== undefined) {
      continue;
    }
    renames.set(table, only.key);
  }
  return renames;
}

function shapeOf(
  kind: string,
  fields: readonly (readonly [string, { type: string; position: number }])[],
): string {
  const columns = fields.map(([name, { type, position }]) => [position, name, type] as const);
  return JSON.stringify([kind, columns.sort((a, b) => a[0] - b[0])]);
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** The keys a table may have, the best first; the last ones only ever serve names that hold dots. */
function candidateKeys(
  { schema, name }: TableIdentity,
  { datasource, defaultSchema }: { datasource: string; defaultSchema: string },
): string[] {
  const short = schema === '' || schema === defaultSchema ? name : `${schema}.${name}`;
  return [short, `${datasource}.${short}`, `${datasource}.${schema}.${name}`];
}

/** Only a schema or table whose name holds a dot can have all its keys taken. */
function freeKey(candidates: readonly string[], taken: ReadonlySet<string>): string {
  const free = candidates.find((candidate) => !taken.has(candidate));
  const base = candidates.at(-1) ?? '';
  let key = free ?? base;
  for (let number = 2; taken.has(key); number += 1) key = `${base}~${number}`;
  return key;
}

/** Where the table of a key lies: as the last scan recorded it, else as the key says. */
function identityOfKey(key: string, input: MatchTablesInput): TableIdentity {
  const locked = lockOf(input.lock, key, input.datasource);
  if (locked !== undefined) return locked.table;
  const prefix = `${input.datasource}.`;
  const short = key.startsWith(prefix) ? key.slice(prefix.length) : key;
  const dot = short.indexOf('.');
  return dot === -1
    ? { schema: input.defaultSchema, name: short }
    : { schema: short.slice(0, dot), name: short.slice(dot + 1) };
}

function lockOf(lock: RegistryLock, key: string, datasource: string): LockDataset | undefined {
  const dataset = Object.hasOwn(lock.datasets, key) ? lock.datasets[key] : undefined;
  return dataset?.datasource === datasource ? dataset : undefined;
}
