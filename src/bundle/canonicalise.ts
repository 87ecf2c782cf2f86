import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { VkitError } from '../errors/index.js';

/** What `JSON.stringify` writes for half of a surrogate pair, which no UTF-8 can carry. */
const LONE_SURROGATE = /(?<!\\)(?:\\\\)*\\ud[89a-f][0-9a-f]{2}/i;

/**
 * The canonical text of a JSON value (RFC 8785, JCS). Throws `bundle_invalid` for what the RFC has no
 * form for: no value at all, NaN, infinities, text with lone surrogates.
 */
export function canonicalise(value: unknown): string {
  let text: string | undefined;
  try {
    text = textOf(value, new Map());
  } catch (cause) {
    throw new VkitError('bundle_invalid', 'The document has no canonical form (RFC 8785).', {
      cause,
    });
  }
  if (text === undefined || LONE_SURROGATE.test(text)) {
    throw new VkitError('bundle_invalid', 'The document has no canonical form (RFC 8785).', {
      hint: 'Look for text with broken Unicode, such as half of an emoji.',
    });
  }
  return text;
}

/**
 * Puts the text together from those of its parts, so that what stands in many places as one object, as a field of many
 * tables does, is written once; the library writes all that has no parts.
 */
function textOf(value: unknown, known: Map<object, string>): string | undefined {
  const isWhole = typeof value !== 'object' || value === null || 'toJSON' in value;
  if (isWhole) return canonicalize(value);
  const before = known.get(value);
  if (before !== undefined) return before;
  const text = Array.isArray(value) ? textOfArray(value, known) : textOfObject(value, known);
  known.set(value, text);
  return text;
}

function textOfArray(values: readonly unknown[], known: Map<object, string>): string {
  return `[${Array.from(values, (value) => textOf(value, known) ?? 'null').join(',')}]`;
}

function textOfObject(value: object, known: Map<object, string>): string {
  const parts: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const text = textOf((value as Record<string, unknown>)[key], known);
    if (text !== undefined) parts.push(`${canonicalize(key)}:${text}`);
  }
  return `{${parts.join(',')}}`;
}

/** The text that the checksum is over: `bundle.checksum` is "" and `signing` is null. */
export function checksumInput(document: unknown): string {
  const { bundle, ...rest } = asRecord(document);
  return canonicalise({ ...rest, bundle: { ...asRecord(bundle), checksum: '' }, signing: null });
}

/** The text that is signed: the whole document with `signing` null. */
export function signatureInput(document: unknown): string {
  return canonicalise({ ...asRecord(document), signing: null });
}

/** SHA-256 (hex) of `checksumInput`, over the document as it was received. */
export function bundleChecksum(document: unknown): string {
  return createHash('sha256').update(checksumInput(document), 'utf8').digest('hex');
}

function asRecord(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new VkitError('bundle_invalid', 'A bundle is a JSON object with the key "bundle".');
}
