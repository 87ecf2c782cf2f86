import { type Sight, sightOf } from './masks.js';
import type { ReferenceDataset, ReferenceWorld } from './schema.js';
import { kindOf, readValue, type Value } from './value.js';

/** A dataset where the query names it, with its rows as the requester sees them. */
export interface Source {
  dataset: ReferenceDataset;
  /** The alias, else the registry key. */
  label: string;
  sights: readonly Sight[];
  rows: readonly (readonly Value[])[];
}

/** A field of one of the query's datasets. */
export interface Ref {
  source: number;
  index: number;
}

/** What the key of a field's tokens is derived from: the classification, or the field where it has none. */
export function domainOf(dataset: string, field: string, classification?: string): string {
  return JSON.stringify(
    classification === undefined ? ['field', dataset, field] : ['class', classification],
  );
}

export function sourceOf(dataset: ReferenceDataset, label: string, world: ReferenceWorld): Source {
  const sights = dataset.fields.map(({ name, type, classification }) => {
    const seen = {
      type,
      domain: domainOf(dataset.name, name, classification),
      tokens: world.tokens,
    };
    return sightOf(seen, world.visibility(dataset.name, name));
  });
  // "Masks apply at the source": nothing after this line sees a raw value of a masked field.
  const rows = dataset.rows.map((row) =>
    row.map((cell, index) => see(dataset, sights, index, cell)),
  );
  return { dataset, label, sights, rows };
}

function see(
  { fields }: ReferenceDataset,
  sights: readonly Sight[],
  index: number,
  cell: string | null,
): Value {
  const raw = readValue(kindOf(fields[index]?.type ?? ''), cell);
  return sights[index]?.show(raw) ?? null;
}

const same = (left: string, right: string) => left.toLowerCase() === right.toLowerCase();

/** All the fields that a name may stand for: `alias.field` (or `dataset.field`) before `field`. */
export function meaningsOf(name: string, sources: readonly Source[]): Ref[] {
  const found = (isMeant: (source: Source, field: string) => boolean): Ref[] =>
    sources.flatMap((source, at) =>
      source.dataset.fields.flatMap((field, index) =>
        isMeant(source, field.name) ? [{ source: at, index }] : [],
      ),
    );
  const byLabel = found(({ label }, field) => same(name, `${label}.${field}`));
  if (byLabel.length > 0) return byLabel;
  const byKey = found(({ dataset }, field) => same(name, `${dataset.name}.${field}`));
  return byKey.length > 0 ? byKey : found((_, field) => same(name, field));
}
