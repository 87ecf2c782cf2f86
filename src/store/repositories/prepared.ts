import type { Compilable, CompiledQuery } from 'kysely';
import type { Db } from '../tables.js';

/**
 * Queries of the paths that are taken for every call, compiled once: by name, since their text never changes, for each kind of
 * database.
 */
const compiled = new WeakMap<object, Map<string, CompiledQuery<unknown>>>();

/**
 * A query that was built before under this name, with other values: building it anew costs more than running it. `build` must
 * make the same text every time, its values in the order of `values`.
 */
export function prepared<R>(
  db: Db,
  name: string,
  build: () => Compilable<R>,
  values: readonly unknown[],
): CompiledQuery<R> {
  const { adapter } = db.getExecutor();
  let queries = compiled.get(adapter);
  if (queries === undefined) {
    queries = new Map();
    compiled.set(adapter, queries);
  }
  let query = queries.get(name) as CompiledQuery<R> | undefined;
  if (query === undefined) {
    query = build().compile();
    queries.set(name, query);
  }
  return { ...query, parameters: values };
}

/** Runs `prepared`. */
export async function runPrepared<R>(...query: Parameters<typeof prepared<R>>): Promise<R[]> {
  const { rows } = await query[0].executeQuery<R>(prepared(...query));
  return rows;
}
