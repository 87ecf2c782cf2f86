import type { Problem } from '../errors/index.js';
import type { Reference } from '../policy/model.js';
import type { CatalogDataset, CatalogField } from './catalog.js';
import { quoted, report } from './input-checks.js';
import { createReferenceSet, type ReferenceSet } from './reference-set.js';
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
  const datasets = sources.flatMap(({ dataset }) => (dataset === undefined ? [] : [dataset]));
  const references = createReferenceSet(datasets);
  const named = sources.flatMap((source, index) => namedSource(source, index, references));
  const unnested = !areNested(named.flatMap(({ prefixes }) => prefixes));
  const unknown: { pointer: string; name: string }[] = [];
  const problems: Problem[] = [];

  for (const [index, source] of sources.entries()) {
    if (source.dataset !== undefined) continue;
    references.addUnknown({ dataset: source.written, field: null });
    const pointer = index === 0 ? '/source_table' : `/joins/${index - 1}/table`;
    unknown.push({ pointer, name: source.written });
  }

  function resolve(name: string, pointer: string): FieldRef | undefined {
    if (unnested) {
      for (const source of named) {
        const field = labelledField(source, name);
        if (field !== undefined) return touch(source, field);
      }
    }
    const matches = bestMatches(named, name);
    for (const { source, field } of matches) touch(source, field);
    const [match] = matches;
    if (match === undefined) {
      references.addUnknown(unknownReference(sources, name));
      unknown.push({ pointer, name });
      return undefined;
    }
    if (matches.length === 1) return touch(match.source, match.field);
    report(problems, {
      pointer,
      code: 'ambiguous_name',
      message: `The name ${quoted(name)} stands for more than one field.`,
      suggestion: 'Write `dataset.field` or `alias.field`.',
    });
    return undefined;
  }

  return { resolve, unknown, problems, references: references.list };
}

/** A dataset of the query with what may stand before the names of its fields. */
interface NamedSource {
  index: number;
  dataset: CatalogDataset;
  /** `alias.`; null where the dataset goes by its own key, under which it knows its fields. */
  label: string | null;
  /** The query's own marks of the fields it touches, by their ranks. */
  touched: Uint8Array;
  /** Of two that fit, the first counts. */
  prefixes: readonly Prefix[];
}

interface Prefix {
  written: string;
  lower: string;
  /** As it is written: lower case may have another length. */
  characters: number;
  /** The label itself; a dataset that has an alias also answers to its key, after those. */
  primary: boolean;
}

function namedSource(source: ScopeSource, index: number, references: ReferenceSet): NamedSource[] {
  const { dataset } = source;
  if (dataset === undefined) return [];
  const label = labelOf(source);
  const prefixes = [prefixOf(label, true)];
  const isKey = label === dataset.name;
  if (!isKey) prefixes.unshift(prefixOf(dataset.name, false));
  const touched = references.touched(dataset);
  return [{ index, dataset, label: isKey ? null : `${label}.`, touched, prefixes }];
}

function prefixOf(label: string, primary: boolean): Prefix {
  const prefix = `${label}.`;
  return { written: prefix, lower: prefix.toLowerCase(), characters: prefix.length, primary };
}

interface Match {
  source: NamedSource;
  field: CatalogField;
  prefix: Prefix;
}

const BARE: Prefix = { written: '', lower: '', characters: 0, primary: true };

/** Whether a name can begin with two of the prefixes. */
function areNested(prefixes: readonly Prefix[]): boolean {
  return prefixes.some((inner, index) =>
    prefixes.some(
      (outer, at) =>
        at !== index &&
        (outer.lower.startsWith(inner.lower) || outer.written.startsWith(inner.written)),
    ),
  );
}

/** The field a name stands for that begins with the label to the letter, where no other prefix could fit the name. */
function labelledField(source: NamedSource, name: string): CatalogField | undefined {
  const { dataset, label } = source;
  if (label === null) return dataset.labelled(name);
  return name.startsWith(label) ? dataset.field(name.slice(label.length)) : undefined;
}

/** The fields a name stands for: with the longest prefix, of those through a label itself where there are any. */
function bestMatches(sources: readonly NamedSource[], name: string): Match[] {
  let best: Match[] = [];
  // Every prefix ends with a point.
  const lower = name.includes('.') ? name.toLowerCase() : '';
  for (const source of lower === '' ? [] : sources) {
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

function touch(source: NamedSource, field: CatalogField): FieldRef {
  source.touched[field.rank] = 1;
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
