import { VkitError } from '../errors/index.js';
import { brokenOff } from './http.js';

/** One row: its cells by the names of the columns, as api.md writes values in JSON. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * The rows of a grant as they arrive; nothing is held but what is being read. It is read once. Leaving the loop, or aborting
 * the signal it was opened with, ends the query in the database too.
 */
export interface RowStream extends AsyncIterable<Row> {
  /** The output columns whose values are masked. */
  readonly maskedFields: readonly string[];
  /** The rows at most where a cap of the policies or the server bounds them: an answer of as many may have been cut. */
  readonly rowsCap: number | null;
  /** Gives the stream up; also one that nobody began to read. */
  close(): Promise<void>;
}

/** Longer than any row that a model, or a person, makes use of. */
const LINE_CHARACTERS_MAX = 64 * 1_048_576;

/** Reads an answer in NDJSON. A stream that breaks off ends in `unavailable`, an aborted one in the abort's reason. */
export function rowStreamOf(response: Response, signal?: AbortSignal): RowStream {
  const header = response.headers.get('x-vkit-masked-fields') ?? '';
  const cap = response.headers.get('x-vkit-rows-cap');
  const rows = rowsOf(response.body, signal);
  return {
    maskedFields: header === '' ? [] : header.split(',').map(decodeURIComponent),
    rowsCap: cap === null ? null : Number(cap),
    [Symbol.asyncIterator]: () => rows,
    async close() {
      await rows.return();
      // Of one that nobody began to read, `return` has no code to run.
      if (response.body && !response.body.locked) await response.body.cancel().catch(() => {});
    },
  };
}

async function* rowsOf(
  body: ReadableStream<Uint8Array> | null,
  signal: AbortSignal | undefined,
): AsyncGenerator<Row, void, undefined> {
  if (body === null) return;
  const decoder = new TextDecoder();
  // What came of a line that has not ended; joined once, since a row may come in thousands of pieces.
  let begun: string[] = [];
  let characters = 0;
  try {
    for await (const bytes of body) {
      const lines = decoder.decode(bytes, { stream: true }).split('\n');
      const last = lines.pop() ?? '';
      for (const line of lines) {
        const whole = begun.length === 0 ? line : begun.join('') + line;
        begun = [];
        characters = 0;
        if (whole !== '') yield JSON.parse(whole) as Row;
      }
      begun.push(last);
      characters += last.length;
      if (characters > LINE_CHARACTERS_MAX) throw tooLong();
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw cause instanceof VkitError ? cause : brokenOff(cause);
  }
  if (begun.join('').trim() !== '') throw brokenOff(new Error('The last line has no end.'));
}

function tooLong(): VkitError {
  return new VkitError('limit_exceeded', 'A row of the answer is longer than this client reads.');
}
