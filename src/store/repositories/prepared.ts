import type { Compilable, CompiledQuery } from 'kysely';
import type { Db } from '../tables.js';

/** Queries of the paths that are taken for every call, compiled once: by name, since their text never changes. */
const compiled = new Map<string, CompiledQuery<unknown>>();

/**
 * Runs a query that was built before under this name, with other values: building it anew costs more than running it. `build`
 * must make the same text every time, its values in the order of `values`.
 */
export async function runPrepared<R>(
  db: Db,
  name: string,
  build: () => Compilable<R>,
  values: readonly unknown[],
): Promise<R[]> {
  let query = compiled.get(name) as CompiledQuery<R> | undefined;
  if (query === undefined) {
    query = build().compile();
    compiled.set(name, query);
  }
  const { rows } = await db.executeQuery<R>({ ...query, parameters: values });
  return rows;
}
