const PLACES_MAX = 20;
/** Longer pointers are cut: of a text nested beyond all measure, its outer levels say enough. */
const POINTER_CHARACTERS_MAX = 1_024;

/**
 * JSON Pointers (RFC 6901) of object keys that stand twice in a JSON text, at most 20; none in a text without any. Parsers
 * keep one of the two, and not all the same one (RFC 8259, 4). `value` is what `JSON.parse` makes of the text.
 *
 * A text without repeated keys, which is every honest one, has as many members as its value: only where the two numbers differ is
 * looked for the place. Needs no recursion.
 */
export function repeatedKeys(text: string, value: unknown): readonly string[] {
  return membersOfText(text) === membersOfValue(value) ? [] : findRepeatedKeys(text);
}

/** The number of strings that a colon follows. From quote to quote, which is much faster than by characters. */
function membersOfText(text: string): number {
  let members = 0;
  let open = text.indexOf('"');
  while (open !== -1) {
    const after = skipSpace(text, endOfString(text, open));
    if (text.charCodeAt(after) === COLON) members += 1;
    open = text.indexOf('"', after);
  }
  return members;
}

function membersOfValue(value: unknown): number {
  let members = 0;
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const one = rest.pop();
    if (Array.isArray(one)) {
      for (const item of one) if (typeof item === 'object' && item !== null) rest.push(item);
    } else if (typeof one === 'object' && one !== null) {
      // Unlike Object.keys it makes no list; what was parsed inherits nothing that can be enumerated.
      for (const key in one) {
        members += 1;
        const item = (one as Record<string, unknown>)[key];
        if (typeof item === 'object' && item !== null) rest.push(item);
      }
    }
  }
  return members;
}

/** An object or array that is not closed yet. */
interface Open {
  /** Null for an array. */
  keys: Set<string> | null;
  /** The step to what stands at present. */
  step: string | number;
}

const COLON = 0x3a;
const BACKSLASH = 0x5c;
/** Where something begins, ends or goes on. */
const NEXT = /["[\]{},]/g;

/** Looks at a text that is known to be JSON. */
function findRepeatedKeys(text: string): string[] {
  const found: string[] = [];
  const open: Open[] = [];
  const next = new RegExp(NEXT);
  for (let at = next.exec(text); at !== null && found.length < PLACES_MAX; at = next.exec(text)) {
    const inner = open.at(-1);
    if (at[0] === '{') open.push({ keys: new Set(), step: '' });
    else if (at[0] === '[') open.push({ keys: null, step: 0 });
    else if (at[0] === '}' || at[0] === ']') open.pop();
    else if (at[0] === ',') {
      if (typeof inner?.step === 'number') inner.step += 1;
    } else {
      const end = endOfString(text, at.index);
      next.lastIndex = end;
      if (!inner?.keys || text.charCodeAt(skipSpace(text, end)) !== COLON) continue;
      // Keys are compared as they are read: "\u0061" is "a".
      const key = JSON.parse(text.slice(at.index, end)) as string;
      inner.step = key;
      if (inner.keys.has(key)) found.push(pointerTo(open));
      inner.keys.add(key);
    }
  }
  return found;
}

function pointerTo(open: readonly Open[]): string {
  let pointer = '';
  for (const { step } of open) {
    pointer += `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (pointer.length > POINTER_CHARACTERS_MAX)
      return `${pointer.slice(0, POINTER_CHARACTERS_MAX)}…`;
  }
  return pointer;
}

/** The place after the closing quote of the string that opens here. */
function endOfString(text: string, open: number): number {
  let close = text.indexOf('"', open + 1);
  while (close !== -1 && isEscaped(text, close)) close = text.indexOf('"', close + 1);
  return close === -1 ? text.length : close + 1;
}

/** An odd number of backslashes before it. */
function isEscaped(text: string, quote: number): boolean {
  let first = quote;
  while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return (quote - first) % 2 === 1;
}

/** JSON knows four characters of space. */
function skipSpace(text: string, from: number): number {
  let at = from;
  let code = text.charCodeAt(at);
  while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
    at += 1;
    code = text.charCodeAt(at);
  }
  return at;
}
