import { VkitError } from '../errors/index.js';

/** How slowly a client may read. */
export interface DrainLimits {
  /** How long the client may take for one part of the answer, whatever its size. */
  stallMs: number;
  /** On top of that, a part may take as long as this rate takes for it. */
  bytesPerSecondMin: number;
}

/**
 * Passes an answer's parts on and calls `onStall` when one is not taken in time: a reader that has stopped would otherwise
 * hold a connection of the database, and its locks, for as long as it likes.
 */
export async function* watchDrain(
  parts: AsyncIterable<string>,
  { stallMs, bytesPerSecondMin }: DrainLimits,
  onStall: (reason: VkitError) => void,
): AsyncGenerator<string, void, undefined> {
  for await (const part of parts) {
    const allowedMs = stallMs + (part.length / bytesPerSecondMin) * 1000;
    const timer = setTimeout(() => {
      onStall(
        new VkitError('query_timeout', 'The answer was read too slowly and was cut off.', {
          hint: 'Read faster, or ask for less at once.',
        }),
      );
    }, allowedMs);
    try {
      yield part;
    } finally {
      clearTimeout(timer);
    }
  }
}
