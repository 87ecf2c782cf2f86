/** An array as its elements' texts, `null` for NULL, nested as it is. */
export type ArrayText = readonly (string | null | ArrayText)[];

/** PostgreSQL itself allows six dimensions. */
const DEPTH_MAX = 6;

/**
 * Reads an array as PostgreSQL writes it: `{a,"b c",NULL,{…}}`. `undefined` for what this is not, one
 * with bounds of its own (`[0:1]={a,b}`) included.
 */
export function decodeArray(text: string): ArrayText | undefined {
  const reader = { text, at: 0 };
  const array = readArray(reader, 1);
  return array && reader.at === text.length ? array : undefined;
}

interface Reader {
  readonly text: string;
  at: number;
}

function readArray(reader: Reader, depth: number): ArrayText | undefined {
  if (reader.text[reader.at] !== '{' || depth > DEPTH_MAX) return undefined;
  reader.at += 1;
  const items: (string | null | ArrayText)[] = [];
  if (reader.text[reader.at] === '}') {
    reader.at += 1;
    return items;
  }
  while (reader.at < reader.text.length) {
    const item = readItem(reader, depth);
    if (item === undefined) return undefined;
    items.push(item);
    const next = reader.text[reader.at];
    reader.at += 1;
    if (next === '}') return items;
    if (next !== ',') return undefined;
  }
  return undefined;
}

function readItem(reader: Reader, depth: number): string | null | ArrayText | undefined {
  const first = reader.text[reader.at];
  if (first === '{') return readArray(reader, depth + 1);
  if (first === '"') return readQuoted(reader);
  const start = reader.at;
  while (reader.at < reader.text.length && !',{}"'.includes(reader.text[reader.at] ?? '')) {
    reader.at += 1;
  }
  const word = reader.text.slice(start, reader.at);
  if (word === '') return undefined;
  return word === 'NULL' ? null : word.replace(/\\(.)/gs, '$1');
}

function readQuoted(reader: Reader): string | undefined {
  const start = reader.at + 1;
  for (let at = start; at < reader.text.length; at += 1) {
    if (reader.text[at] === '\\') {
      at += 1;
    } else if (reader.text[at] === '"') {
      reader.at = at + 1;
      return reader.text.slice(start, at).replace(/\\(.)/gs, '$1');
    }
  }
  return undefined;
}
