/** Computes something when it is first asked for, and never again. */
export function lazily<T extends object>(compute: () => T): () => T {
  let known: T | undefined;
  return () => {
    known ??= compute();
    return known;
  };
}
