import { createHash } from 'node:crypto';
import type { FieldVisibility } from '../../../src/aql/visibility.js';
import type { Mask, MaskMethod } from '../../../src/masking/model.js';
import type { FieldKind } from '../../../src/schema/field-type.js';
import { decimalText } from './decimal.js';
import type { ReferenceTokens } from './schema.js';
import { isDecimal, kindOf, type Value } from './value.js';

/** How a field is seen: the kind and type of what is shown, and the method that shows it. */
export interface Sight {
  kind: FieldKind;
  type: string;
  masked?: MaskMethod;
  show(value: Value): Value;
  /** Set where tokens are shown. */
  token?: TokenSight;
}

export interface TokenSight {
  domain: string;
  rawKind: FieldKind;
  /** "Where a tokenized column would be needed for the order, its SHA-256 with a salt of the grant is." */
  orderOf(token: Value): Value;
}

/** What a mask must know of a field and the world around it. */
interface Seen {
  type: string;
  domain: string;
  tokens: ReferenceTokens;
}

type Sighted = (seen: Seen, mask: Mask) => Sight;

const constant: Sighted = () => ({
  kind: 'text',
  type: 'text',
  masked: 'full',
  // "`full` and `nullify` are constants and hide NULL too."
  show: () => '*****',
});

const hash: Sighted = (seen, mask) => {
  // "Hash of floats, dates, booleans and other types is full."
  if (!['text', 'integer', 'numeric'].includes(kindOf(seen.type))) return constant(seen, mask);
  const show = (value: Value) => (value === null ? null : sha256(shownText(value)));
  return { kind: 'text', type: 'text', masked: 'hash', show };
};

const partial: Sighted = (seen, mask) => {
  if (kindOf(seen.type) !== 'text' || mask.method !== 'partial') return constant(seen, mask);
  const { prefix, suffix, minLength } = mask;
  const show = (value: Value) => {
    if (typeof value !== 'string') return null;
    const characters = [...value];
    if (characters.length < minLength) return '****';
    const end = characters.slice(characters.length - suffix);
    return `${characters.slice(0, prefix).join('')}****${end.join('')}`;
  };
  return { kind: 'text', type: 'text', masked: 'partial', show };
};

const tokenize: Sighted = (seen, mask) => {
  const rawKind = kindOf(seen.type);
  // "Tokens are made of text, integers, numerics, UUIDs and dates."
  if (!['text', 'integer', 'numeric', 'uuid', 'date'].includes(rawKind))
    return constant(seen, mask);
  const { domain, tokens } = seen;
  const show = (value: Value) => (value === null ? null : tokens.seal(shownText(value), domain));
  const orderOf = (token: Value) =>
    token === null ? null : sha256(`${tokens.orderSalt}${tokens.open(String(token), domain)}`);
  const token = { domain, rawKind, orderOf };
  return { kind: 'text', type: 'text', masked: 'tokenize', show, token };
};

/** One entry per mask. */
const MASKS: Readonly<Record<MaskMethod, Sighted>> = {
  nullify: ({ type }) => ({ kind: kindOf(type), type, masked: 'nullify', show: () => null }),
  full: constant,
  tokenize,
  hash,
  partial,
};

export function sightOf(seen: Seen, visibility: FieldVisibility): Sight {
  if (visibility.state === 'masked') return MASKS[visibility.mask.method](seen, visibility.mask);
  const { type } = seen;
  return { kind: kindOf(type), type, show: (value) => value };
}

/** A value as masks see it: the text that is hashed, or that a token stands for. */
export function shownText(value: Value): string {
  return isDecimal(value) ? decimalText(value) : String(value);
}

function sha256(text: string): string {
  return createHash('sha256').update(Buffer.from(text, 'utf8')).digest('hex');
}
