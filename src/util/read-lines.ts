/** The lines of a stream of UTF-8, each without its end; throws a RangeError for one that is longer than the bound. */
export async function* readLines(
  stream: ReadableStream<Uint8Array>,
  charactersMax: number,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let parts: string[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const pieces = decoder.decode(chunk, { stream: true }).split('\n');
    for (const [index, piece] of pieces.entries()) {
      length += piece.length;
      if (length > charactersMax)
        throw new RangeError(`A line has more than ${charactersMax} characters.`);
      parts.push(piece);
      if (index === pieces.length - 1) continue;
      yield parts.join('');
      parts = [];
      length = 0;
    }
  }
  const rest = parts.join('') + decoder.decode();
  if (rest !== '') yield rest;
}
