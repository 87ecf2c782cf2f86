import { createHash } from 'node:crypto';
import type { FieldVisibility } from '../../../src/aql/visibility.js';
import type { Mask, MaskMethod } from '../../../src/masking/model.js';
import type { FieldKind } from '../../../src/schema/field-type.js';
import { decimalText } from './decimal.js';
import { isDecimal, kindOf, type Value } from './value.js';

/** How a field is seen: the kind and type of what is shown, and the method that shows it. */
export interface Sight {
  kind: FieldKind;
  type: string;
  masked?: MaskMethod;
  show(value: Value): Value;
}

type Sighted = (type: string, mask: Mask) => Sight;

const constant: Sighted = () => ({
  kind: 'text',
  type: 'text',
  masked: 'full',
  // "`full` and `nullify` are constants and hide NULL too."
  show: () => '*****',
});

const hash: Sighted = (type, mask) => {
  // "Hash of floats, dates, booleans and other types is full."
  if (!['text', 'integer', 'numeric'].includes(kindOf(type))) return constant(type, mask);
  const show = (value: Value) => (value === null ? null : sha256(shownText(value)));
  return { kind: 'text', type: 'text', masked: 'hash', show };
};

const partial: Sighted = (type, mask) => {
  if (kindOf(type) !== 'text' || mask.method !== 'partial') return constant(type, mask);
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

/** One entry per mask. `tokenize` is served as `full`; with keys, its entry takes them as the others take options. */
const MASKS: Readonly<Record<MaskMethod, Sighted>> = {
  nullify: (type) => ({ kind: kindOf(type), type, masked: 'nullify', show: () => null }),
  full: constant,
  tokenize: constant,
  hash,
  partial,
};

export function sightOf(type: string, visibility: FieldVisibility): Sight {
  if (visibility.state === 'masked') return MASKS[visibility.mask.method](type, visibility.mask);
  return { kind: kindOf(type), type, show: (value) => value };
}

function shownText(value: Value): string {
  return isDecimal(value) ? decimalText(value) : String(value);
}

function sha256(text: string): string {
  return createHash('sha256').update(Buffer.from(text, 'utf8')).digest('hex');
}
