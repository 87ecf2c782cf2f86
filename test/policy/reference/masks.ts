import type { Mask } from '../../../src/masking/model.js';
import type { MaskSpec, Policy } from '../../../src/policy/model.js';
import { sameName } from './names.js';
import type { Note } from './note.js';

type Method = Mask['method'];

/** "Mask methods, from strictest". */
export const METHODS: readonly Method[] = ['nullify', 'full', 'tokenize', 'hash', 'partial'];

/** What a policy that masks puts on a field: its rule, else the default method, else everything is hidden. */
export function maskOf({ masking }: Policy, field: string, note: Note): Mask {
  const rule = Object.entries(masking?.rules ?? {}).find(([name]) => sameName(name, field));
  const spec = rule?.[1] ?? masking?.default_method ?? 'full';
  note('mask by', rule ? 'a rule' : masking?.default_method ? 'the default method' : 'no method');
  return resolved(spec, note);
}

/** aql.md: `partial` keeps `prefix` (3) leading and `suffix` (0) trailing characters, from twice their sum on. */
function resolved(spec: MaskSpec, note: Note): Mask {
  const options = typeof spec === 'string' ? { method: spec } : spec;
  if (options.method !== 'partial') return { method: options.method };
  const { prefix = 3, suffix = 0 } = options;
  const given = Object.keys(options).filter((key) => key !== 'method');
  for (const option of given) note('partial with', option);
  if (given.length === 0) note('partial with', 'no option');
  return {
    method: 'partial',
    prefix,
    suffix,
    minLength: options.min_length ?? 2 * (prefix + suffix),
  };
}

/** "The strictest of all matching masks applies (two different `partial` give `full`)", at least. */
export function strictestOf(masks: readonly Mask[], note: Note): Mask | undefined {
  const partials = new Set(
    masks.filter(({ method }) => method === 'partial').map((mask) => JSON.stringify(sorted(mask))),
  );
  const all: readonly Mask[] = partials.size > 1 ? [...masks, { method: 'full' }] : masks;
  const strictest = METHODS.flatMap((method) => all.filter((mask) => mask.method === method))[0];
  if (partials.size > 1) note('two different partials', 'give', strictest?.method ?? 'nothing');
  return strictest;
}

function sorted(mask: Mask): [string, unknown][] {
  return Object.entries(mask).sort(([a], [b]) => (a < b ? -1 : 1));
}
