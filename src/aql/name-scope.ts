import type { Problem } from '../errors/index.js';
import type { Reference } from '../policy/model.js';
import type { CatalogDataset, CatalogField } from './catalog.js';
import { quoted, report } from './input-checks.js';
import { createReferenceSet } from './reference-set.js';
import type { FieldRef } from './resolved-query.js';

/** A dataset as the query names it; `dataset` is undefined where the registry has none of that name. */
export interface ScopeSource {
  written: string;
  alias?: string;
  dataset: CatalogDataset | undefined;
}

/** Looks names up among the datasets of one query and keeps account of everything it was asked. */
export interface NameScope {
  /** The field a name stands for, or `undefined` with the reason noted. */
  resolve(name: string, pointer: string): FieldRef | undefined;
  readonly unknown: { pointer: string; name: string }[];
  readonly problems: Problem[];
  /** Deduplicated, sorted by dataset and field; a dataset comes before its fields. */
  references(): Reference[];
}

/** What a dataset is called where it stands: by its alias, else by its registry key. */
export function labelOf(source: ScopeSource): string {
  return source.alias ?? source.dataset?.name ?? source.written;
}

export function createNameScope(sources: readonly ScopeSource[]): NameScope {
  const named = sources.flatMap((source, index) => namedSource(source, index));
  const touched = createReferenceSet(named.map(({ dataset }) => dataset));
  const unknown: { pointer: string; name: string }[] = [];
  const problems: Problem[] = [];

  for (const [index, source] of sources.entries()) {
    if (source.dataset !== undefined) continue;
    touched.addUnknown({ dataset: source.written, field: null });
    const pointer = index === 0 ? '/source_table' : `/joins/${index - 1}/table`;
    unknown.push({ pointer, name: source.written });
  }

  function resolve(name: string, pointer: string): FieldRef | undefined {
    const matches = bestMatches(named, name);
    for (const { source, field } of matches) touched.add(source.dataset, field);
    const [match] = matches;
    if (match === undefined) {
      touched.addUnknown(unknownReference(sources, name));
      unknown.push({ pointer, name });
      return undefined;
    }
    if (matches.length === 1) return refTo(match);
    report(problems, {
      pointer,
      code: 'ambiguous_name',
      message: `The name ${quoted(name)} stands for more than one field.`,
      suggestion: 'Write `dataset.field` or `alias.field`.',
    });
    return undefined;
  }

  return { resolve, unknown, problems, references: touched.list };
}

/** A dataset of the query with what may stand before the names of its fields. */
interface NamedSource {
  index: number;
  dataset: CatalogDataset;
  /** Of two that fit, the first counts. */
  prefixes: readonly Prefix[];
}

interface Prefix {
  lower: string;
  /** As it is written: lower case may have another length. */
  characters: number;
  /** The label itself; a dataset that has an alias also answers to its key, after those. */
  primary: boolean;
}

function namedSource(source: ScopeSource, index: number): NamedSource[] {
  const { dataset } = source;
  if (dataset === undefined) return [];
  const label = labelOf(source);
  const prefixes = [prefixOf(label, true)];
  if (label !== dataset.name) prefixes.unshift(prefixOf(dataset.name, false));
  return [{ index, dataset, prefixes }];
}

function prefixOf(label: string, primary: boolean): Prefix {
  const prefix = `${label}.`;
  return { lower: prefix.toLowerCase(), characters: prefix.length, primary };
}

interface Match {
  source: NamedSource;
  field: CatalogField;
  prefix: Prefix;
}

const BARE: Prefix = { lower: '', characters: 0, primary: true };

/** The fields a name stands for: with the longest prefix, of those through a label itself where there are any. */
function bestMatches(sources: readonly NamedSource[], name: string): Match[] {
  const lower = name.toLowerCase();
  let best: Match[] = [];
  for (const source of sources) {
    const match = qualifiedMatch(source, name, lower);
    if (match === undefined) continue;
    const order = best[0] === undefined ? 1 : comparePrefixes(match.prefix, best[0].prefix);
    if (order > 0) best = [match];
    else if (order === 0) best.push(match);
  }
  if (best.length > 0) return best;
  for (const source of sources) {
    const field = source.dataset.field(name);
    if (field !== undefined) best.push({ source, field, prefix: BARE });
  }
  return best;
}

function qualifiedMatch(source: NamedSource, name: string, lower: string): Match | undefined {
  for (const prefix of source.prefixes) {
    if (!lower.startsWith(prefix.lower)) continue;
    const field = source.dataset.field(name.slice(prefix.characters));
    if (field !== undefined) return { source, field, prefix };
  }
  return undefined;
}

/** Above zero where the left one is the nearer to the name. */
function comparePrefixes(left: Prefix, right: Prefix): number {
  return left.characters - right.characters || Number(left.primary) - Number(right.primary);
}

function refTo({ source, field }: Match): FieldRef {
  return { source: source.index, dataset: source.dataset.name, field: field.name, at: field.index };
}

/** An unknown name as a reference that no registry holds: the evaluator denies it. */
function unknownReference(sources: readonly ScopeSource[], name: string): Reference {
  const missing = sources.find(
    (source) => source.dataset === undefined && startsWithLabel(name, source),
  );
  const source = missing ?? sources[0];
  const dataset = source?.dataset?.name ?? source?.written ?? '';
  return { dataset, field: name };
}

function startsWithLabel(name: string, source: ScopeSource): boolean {
  return name.toLowerCase().startsWith(`${labelOf(source).toLowerCase()}.`);
}
