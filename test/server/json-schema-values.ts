import fc from 'fast-check';

/** The part of JSON Schema that the routes' schemas use. */
export interface JsonSchema {
  type?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  patternProperties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  enum?: unknown[];
  const?: unknown;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
}

/** Texts that have broken parsers: no text, NUL, half a surrogate pair, quotes, names of Object.prototype, long ones. */
const NASTY = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'x\udfff@y',
  "'; drop table users; --",
  '"',
  '__proto__',
  'constructor',
  'toString',
  '../../etc/passwd',
  '\u202e',
  '\r\nx: y',
  'İ',
  '💣',
  '1e999',
];
const word = fc.constantFrom('id', 'analyst', 'low', 'EU', 'production', 'customers', 'shop');
const text = fc.oneof(word, fc.constantFrom(...NASTY), fc.string({ maxLength: 8, unit: 'binary' }));

/** Any JSON, small, with keys that mean something elsewhere. */
export const anyJson: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, 0, -1, 1.5, 2 ** 53, 1e308, ''),
    text,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(word, fc.constantFrom(...NASTY)), tie('value'), { maxKeys: 3 }),
  ),
})).value;

/** A value that the schema takes, or nearly: strings need not fit their patterns. */
export function valueFor(schema: JsonSchema, free: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((one) => valueFor(one, free)));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'string':
      return stringOf(schema);
    case 'integer':
    case 'number':
      return fc.integer({
        min: schema.minimum ?? -5,
        max: Math.min(schema.maximum ?? 1_000, 1_000_000),
      });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(valueFor(schema.items ?? {}, free), { maxLength: 3 });
    case 'object':
      return objectOf(schema, free);
    default:
      return free;
  }
}

function stringOf({ pattern = '', minLength = 0, maxLength = 64 }: JsonSchema) {
  const plain = pattern.includes('@') ? fc.constantFrom('a@b.test', '\0@\ud800', 'ä@x') : word;
  const fits = (value: string) => value.length >= minLength && value.length <= maxLength;
  return fc.oneof(
    { weight: 3, arbitrary: plain },
    { weight: 1, arbitrary: text.filter(fits) },
    { weight: 1, arbitrary: fc.constant('x'.repeat(maxLength)) },
  );
}

function objectOf(schema: JsonSchema, free: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties, patternProperties } = schema;
  const known = fc.record(
    Object.fromEntries(
      Object.entries(properties).map(([key, value]) => [key, valueFor(value, free)]),
    ),
    { requiredKeys: required },
  );
  const rest = patternProperties ? Object.values(patternProperties)[0] : additionalProperties;
  if (typeof rest !== 'object') return known;
  const more = fc.dictionary(text, valueFor(rest, free), { maxKeys: 3 });
  return fc.tuple(known, more).map(([fixed, free]) => ({ ...free, ...fixed }));
}

/** JSON text that was broken in one place, or not at all. */
export function broken(value: unknown): fc.Arbitrary<string> {
  const json = JSON.stringify(value) ?? 'null';
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant(json) },
    { weight: 2, arbitrary: changed(value).map((one) => JSON.stringify(one) ?? 'null') },
    { weight: 1, arbitrary: fc.nat(json.length).map((at) => json.slice(0, at)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        json.replace(/\d+/, '1e999'),
        json.replace('{', '{"__proto__":{"admin":true},'),
        json.replace('{', '{"constructor":{"prototype":{"admin":true}},'),
        json.replace('{', '{"a":1,"a":2,'),
        `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
        `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
        `\ufeff${json}`,
        `${json}${json}`,
      ),
    },
  );
}

/** One key gone, added or of another type. */
function changed(value: unknown): fc.Arbitrary<unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return anyJson;
  const keys = Object.keys(value);
  const added = fc
    .tuple(fc.oneof(word, fc.constantFrom(...NASTY)), anyJson)
    .map(([key, more]) => ({ ...value, [key]: more }));
  if (keys.length === 0) return added;
  const other = fc
    .tuple(fc.constantFrom(...keys), anyJson)
    .map(([key, more]) => ({ ...value, [key]: more }));
  const gone = fc
    .constantFrom(...keys)
    .map((key) => Object.fromEntries(Object.entries(value).filter(([name]) => name !== key)));
  return fc.oneof(added, other, gone);
}
