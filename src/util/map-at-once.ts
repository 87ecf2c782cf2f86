/** Maps values to results in their order, working on at most `atOnce` of them at a time. The first failure ends it. */
export async function mapAtOnce<T, R>(
  values: readonly T[],
  atOnce: number,
  map: (value: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    while (next < values.length) {
      const index = next;
      next += 1;
      results[index] = await map(values[index] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, values.length) }, worker));
  return results;
}
