/**
 * One stretch of work in a trace. There is one only where traces are sent somewhere, so whoever works says `span?.`; what is
 * said of it are names and numbers, never a value of a row or a filter.
 */
export interface CallSpan {
  /** A stretch within this one; the caller ends it. */
  child(name: string): CallSpan;
  set(name: string, value: string | number): void;
  /** Says that it failed, by the error's code. */
  fail(error: unknown): void;
  end(): void;
}

/** Runs work as a stretch of its own, ended however the work ends. */
export async function inSpan<T>(
  parent: CallSpan | undefined,
  name: string,
  work: (span: CallSpan | undefined) => Promise<T>,
): Promise<T> {
  if (parent === undefined) return work(undefined);
  const span = parent.child(name);
  try {
    return await work(span);
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    span.end();
  }
}
