import { decodeUtf8 } from '../util/utf8.js';
import { RECORD_BYTES_MAX } from './seal-record.js';

/** A record's line with its hash and signature, and some room; what is longer is no record. */
const LINE_BYTES_MAX = RECORD_BYTES_MAX + 4_096;

const NEWLINE = 0x0a;

/**
 * The lines of a JSONL file, split at line feeds and nothing else (U+2028, at which Node's readline splits, may stand in
 * a JSON text). `undefined` stands for a line that is too long or not UTF-8. The last line feed ends the last line.
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<string | undefined> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  const keep = (part: Uint8Array): void => {
    bytes += part.length;
    // Nothing of a line that is too long is kept: a file without a line feed must not fill the memory.
    if (bytes > LINE_BYTES_MAX) parts = [];
    else if (part.length > 0) parts.push(part);
  };
  const take = (): string | undefined => {
    const text = bytes > LINE_BYTES_MAX ? undefined : decodeUtf8(Buffer.concat(parts));
    // The decoder drops a byte order mark, and here every byte counts.
    const whole = text !== undefined && Buffer.byteLength(text) === bytes;
    parts = [];
    bytes = 0;
    return whole ? text : undefined;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    keep(chunk.subarray(start));
  }
  if (bytes > 0) yield take();
}
