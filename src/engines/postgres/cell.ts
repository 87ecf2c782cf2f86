import { kindOfType } from '../../schema/field-type.js';
import { cellEncoder } from '../encode-cell.js';
import { type ArrayText, decodeArray } from './decode-array.js';

const HEX = /^\\x(?:[0-9a-f]{2})*$/;

/** The encoder (`cellEncoder`) of a type for values in PostgreSQL's text format. */
export function postgresEncoder(type: string): (text: string | null) => string {
  if (type.endsWith('[]')) return arrayEncoder(type.slice(0, -2));
  const encode = cellEncoder(type);
  if (kindOfType(type) !== 'bytes') return encode;
  return (text) =>
    encode(text !== null && HEX.test(text) ? Buffer.from(text.slice(2), 'hex') : text);
}

function arrayEncoder(elementType: string): (text: string | null) => string {
  // Elements of unknown types may be separated by something else than a comma.
  const known = elementType !== 'other' && elementType !== 'geometry';
  const encode = postgresEncoder(elementType);
  const encodeItem = (item: ArrayText[number]): string =>
    item === null || typeof item === 'string' ? encode(item) : encodeAll(item);
  const encodeAll = (items: ArrayText): string => `[${items.map(encodeItem).join(',')}]`;
  return (text) => {
    if (text === null) return 'null';
    const items = known ? decodeArray(text) : undefined;
    return items ? encodeAll(items) : JSON.stringify(text);
  };
}
