import { FIELD_TYPES } from '../field-type.js';

/** What a rule's `types` may name beside single types. */
export const TYPE_GROUPS: Readonly<Record<string, readonly string[]>> = {
  text: ['text', 'varchar', 'char'],
  number: ['smallint', 'integer', 'bigint', 'numeric', 'money', 'real', 'double'],
  date: ['date', 'timestamp', 'timestamptz'],
  flag: ['boolean', 'bit'],
  any: Object.keys(FIELD_TYPES),
};

const OPAQUE_TYPES: ReadonlySet<string> = new Set(['json', 'jsonb', 'xml', 'bytes', 'other']);

/** `true` if a column of this type can hold anything, nested or unreadable: then no name vouches for what is in it. */
export function isOpaqueType(type: string): boolean {
  return type.endsWith('[]') || OPAQUE_TYPES.has(type) || !Object.hasOwn(FIELD_TYPES, type);
}

/** The type itself, or that of an array's elements. */
export function elementType(type: string): string {
  return type.replace(/(\[\])+$/u, '');
}

/** The single types that a rule's `types` stand for. */
export function expandTypes(types: readonly string[]): ReadonlySet<string> {
  return new Set(types.flatMap((type) => TYPE_GROUPS[type] ?? [type]));
}
