import { type Problem, VkitError } from '../errors/index.js';
import { repeatedKeys } from '../util/repeated-keys.js';
import { decodeUtf8, isCleanText } from '../util/utf8.js';

/** The escapes by which JSON brings NUL or half a surrogate pair; a body without them needs no closer look. */
const SUSPICIOUS = /\\u(?:0000|[dD][89abAB-fF])/;
const PROBLEMS_MAX = 100;
const KEY_CHARACTERS_MAX = 64;

/** Reads JSON text; calls back with an error of status 400, or with the value. */
type JsonParser = (text: string, done: (error: Error | null, value?: unknown) => void) => void;

/** The value of a body: null without one. Throws `validation`, and what the parser says of text that is no JSON. */
export function readJsonBody(bytes: Buffer, parse: JsonParser): unknown {
  if (bytes.length === 0) return null;
  const text = bodyText(bytes);
  let outcome: { error: Error | null; value?: unknown } = { error: null };
  // The framework's parser calls back before it returns.
  parse(text, (error, value) => {
    outcome = { error, value };
  });
  if (outcome.error) throw isJson(text) ? forbiddenKey() : outcome.error;
  refuseUncleanText(text, outcome.value);
  refuseRepeatedKeys(text, outcome.value);
  return outcome.value;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The one thing in JSON that the framework's parser refuses. */
function forbiddenKey(): VkitError {
  const message = 'No body has a key __proto__, or a constructor with a prototype.';
  const problems = [{ pointer: '', code: 'unknown_key', message }];
  return new VkitError('validation', message, { details: { problems } });
}

/** The bytes of a body as text; throws `validation` for bytes that are not UTF-8 (RFC 8259, 8.1). */
function bodyText(bytes: Buffer): string {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return text;
  throw new VkitError('validation', 'The body is not valid UTF-8.', {
    details: { problems: [{ pointer: '', code: 'text', message: 'is not valid UTF-8' }] },
  });
}

/**
 * Refuses text that no signature, log or database could keep as it is: half a surrogate pair has no UTF-8, and
 * PostgreSQL takes no NUL. Throws `validation` with the pointer of each.
 */
function refuseUncleanText(text: string, body: unknown): void {
  if (!SUSPICIOUS.test(text)) return;
  const problems: Problem[] = [];
  const rest: { value: unknown; pointer: string }[] = [{ value: body, pointer: '' }];
  for (let next = rest.pop(); next && problems.length < PROBLEMS_MAX; next = rest.pop()) {
    const { value, pointer } = next;
    if (typeof value === 'string' && !isCleanText(value)) problems.push(unclean(pointer));
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, child] of Object.entries(value)) {
      const name = key.slice(0, KEY_CHARACTERS_MAX).replaceAll('~', '~0').replaceAll('/', '~1');
      if (isCleanText(key)) rest.push({ value: child, pointer: `${pointer}/${name}` });
      else problems.push(unclean(pointer));
    }
  }
  if (problems.length === 0) return;
  throw new VkitError('validation', 'The body is not valid.', { details: { problems } });
}

/**
 * Refuses a key that stands twice in an object: what is signed, decided and recorded would be one reading of two. Throws
 * `validation` with the pointer of each.
 */
function refuseRepeatedKeys(text: string, body: unknown): void {
  const problems = repeatedKeys(text, body).map((pointer) => {
    return { pointer, code: 'duplicate_key', message: 'The key stands there twice.' };
  });
  if (problems.length === 0) return;
  throw new VkitError('validation', 'The body has a key twice.', { details: { problems } });
}

function unclean(pointer: string): Problem {
  const message = 'Text must be well-formed Unicode without NUL characters.';
  return { pointer, code: 'text', message };
}
