import type { Problem } from '../errors/index.js';
import type { Reference } from '../policy/model.js';
import type { CatalogDataset } from './catalog.js';
import { quoted, report } from './input-checks.js';
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
  /** Notes a reference to a field that was found in another way. */
  touch(dataset: string, field: string | null): void;
  readonly unknown: { pointer: string; name: string }[];
  readonly problems: Problem[];
  /** Deduplicated, sorted by dataset and field; a dataset comes before its fields. */
  references(): Reference[];
}

/** What a dataset is called where it stands: by its alias, else by its registry key. */
export function labelOf(source: ScopeSource): string {
  return source.alias ?? source.dataset?.name ?? source.written;
}

interface Match {
  ref: FieldRef;
  prefixCharacters: number;
  /** Through the label itself; a dataset that has an alias also answers to its key, after those. */
  primary: boolean;
}

export function createNameScope(sources: readonly ScopeSource[]): NameScope {
  const touched = new Map<string, Reference>();
  const unknown: { pointer: string; name: string }[] = [];
  const problems: Problem[] = [];

  function touch(dataset: string, field: string | null): void {
    touched.set(JSON.stringify([dataset, field]), { dataset, field });
  }

  for (const [index, source] of sources.entries()) {
    touch(source.dataset?.name ?? source.written, null);
    if (source.dataset !== undefined) continue;
    const pointer = index === 0 ? '/source_table' : `/joins/${index - 1}/table`;
    unknown.push({ pointer, name: source.written });
  }

  function resolve(name: string, pointer: string): FieldRef | undefined {
    const matches = bestMatches(sources, name);
    for (const { ref } of matches) touch(ref.dataset, ref.field);
    if (matches.length === 1) return matches[0]?.ref;
    if (matches.length === 0) {
      const missing = unknownReference(sources, name);
      touch(missing.dataset, missing.field);
      unknown.push({ pointer, name });
      return undefined;
    }
    report(problems, {
      pointer,
      code: 'ambiguous_name',
      message: `The name ${quoted(name)} stands for more than one field.`,
      suggestion: 'Write `dataset.field` or `alias.field`.',
    });
    return undefined;
  }

  return { resolve, touch, unknown, problems, references: () => sorted([...touched.values()]) };
}

function bestMatches(sources: readonly ScopeSource[], name: string): Match[] {
  const matches = sources.flatMap((source, index) => matchesOf(source, index, name));
  const longest = Math.max(0, ...matches.map((match) => match.prefixCharacters));
  const nearest = matches.filter((match) => match.prefixCharacters === longest);
  const primary = nearest.filter((match) => match.primary);
  return primary.length > 0 ? primary : nearest;
}

function matchesOf(source: ScopeSource, index: number, name: string): Match[] {
  const { dataset } = source;
  if (dataset === undefined) return [];
  const label = labelOf(source);
  const prefixes = [
    { prefix: '', primary: true },
    { prefix: `${label}.`, primary: true },
    ...(label === dataset.name ? [] : [{ prefix: `${dataset.name}.`, primary: false }]),
  ];
  const matches = prefixes.flatMap(({ prefix, primary }): Match[] => {
    if (!name.toLowerCase().startsWith(prefix.toLowerCase())) return [];
    const field = dataset.field(name.slice(prefix.length));
    if (field === undefined) return [];
    const ref = { source: index, dataset: dataset.name, field: field.name };
    return [{ ref, prefixCharacters: prefix.length, primary }];
  });
  return matches.slice(-1);
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

function sorted(references: Reference[]): Reference[] {
  return references.sort(
    (left, right) =>
      compareText(left.dataset, right.dataset) || compareText(left.field ?? '', right.field ?? ''),
  );
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
