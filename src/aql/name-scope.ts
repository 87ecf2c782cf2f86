import type { Problem } from '../errors/index.js';
import type { Reference } from '../policy/model.js';
import type { CatalogDataset, CatalogField } from './catalog.js';
import { quoted, report } from './input-checks.js';
import { ReferenceSet } from './reference-set.js';
import type { FieldRef } from './resolved-query.js';

/** A dataset as the query names it; `dataset` is undefined where the registry has none of that name. */
export interface ScopeSource {
  written: string;
  alias: string | undefined;
  dataset: CatalogDataset | undefined;
}

/** What a dataset is called where it stands: by its alias, else by its registry key. */
export function labelOf(source: ScopeSource): string {
  return source.alias ?? source.dataset?.name ?? source.written;
}

/** Looks names up among the datasets of one query and keeps account of everything it was asked. */
export class NameScope {
  readonly unknown: { pointer: string; name: string }[] = [];
  readonly problems: Problem[] = [];
  readonly #sources: readonly ScopeSource[];
  readonly #named: NamedSource[] = [];
  readonly #references = new ReferenceSet();
  /** Whether no name can begin with two of the prefixes. */
  readonly #unnested: boolean;

  constructor(sources: readonly ScopeSource[]) {
    this.#sources = sources;
    const prefixes: Prefix[] = [];
    for (let index = 0; index < sources.length; index += 1) {
      const source = sources[index] as ScopeSource;
      const { dataset, written } = source;
      if (dataset === undefined) {
        this.#references.addUnknown({ dataset: written, field: null });
        const pointer = index === 0 ? '/source_table' : `/joins/${index - 1}/table`;
        this.unknown.push({ pointer, name: written });
      } else {
        const named = namedSource(source, dataset, index, this.#references.touched(dataset));
        this.#named.push(named);
        prefixes.push(...named.prefixes);
      }
    }
    this.#unnested = !areNested(prefixes);
  }

  /** The field a name stands for, or `undefined` with the reason noted. */
  resolve(name: string, pointer: string): FieldRef | undefined {
    if (this.#unnested) {
      for (const source of this.#named) {
        const field = labelledField(source, name);
        if (field !== undefined) return touch(source, field);
      }
    }
    const matches = bestMatches(this.#named, name);
    const refs = matches.map(({ source, field }) => touch(source, field));
    if (refs.length === 1) return refs[0];
    if (refs.length === 0) {
      this.#references.addUnknown(unknownReference(this.#sources, name));
      this.unknown.push({ pointer, name });
      return undefined;
    }
    report(this.problems, {
      pointer,
      code: 'ambiguous_name',
      message: `The name ${quoted(name)} stands for more than one field.`,
      suggestion: 'Write `dataset.field` or `alias.field`.',
    });
    return undefined;
  }

  /** Deduplicated, sorted by dataset and field; a dataset comes before its fields. */
  references(): Reference[] {
    return this.#references.list();
  }
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
  lower: string;
  /** As it is written: lower case may have another length. */
  characters: number;
  /** The label itself; a dataset that has an alias also answers to its key, after those. */
  primary: boolean;
}

function namedSource(
  source: ScopeSource,
  dataset: CatalogDataset,
  index: number,
  touched: Uint8Array,
): NamedSource {
  const label = labelOf(source);
  const primary = prefixOf(label, true);
  if (label === dataset.name) {
    return { index, dataset, label: null, touched, prefixes: [primary] };
  }
  const prefixes = [prefixOf(dataset.name, false), primary];
  return { index, dataset, label: `${label}.`, touched, prefixes };
}

function prefixOf(label: string, primary: boolean): Prefix {
  return { lower: `${label.toLowerCase()}.`, characters: label.length + 1, primary };
}

interface Match {
  source: NamedSource;
  field: CatalogField;
  prefix: Prefix;
}

const BARE: Prefix = { lower: '', characters: 0, primary: true };

/** Whether a name can begin with two of the prefixes. */
function areNested(prefixes: readonly Prefix[]): boolean {
  for (let index = 1; index < prefixes.length; index += 1) {
    const { lower } = prefixes[index] as Prefix;
    for (let before = 0; before < index; before += 1) {
      const other = (prefixes[before] as Prefix).lower;
      if (lower.startsWith(other) || other.startsWith(lower)) return true;
    }
  }
  return false;
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
