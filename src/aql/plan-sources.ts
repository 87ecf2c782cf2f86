import { VkitError } from '../errors/index.js';
import { applyMask, type MaskMethod } from '../masking/index.js';
import type { FieldKind } from '../schema/field-type.js';
import type { CatalogDataset, CatalogField } from './catalog.js';
import type { Expr } from './expression.js';
import type { PlanSource, TokenizedOutput } from './plan.js';
import type { FieldRef, ResolvedSource } from './resolved-query.js';
import { isRaw, type Visibility } from './visibility.js';

/** A field as the query outside FROM sees it. */
export interface PlanColumn {
  expr: Expr;
  kind: FieldKind;
  /** The normalised type of what is seen: `text` where a mask makes it one. */
  type: string;
  masked?: MaskMethod;
  /** Set where `expr` is the raw value of a tokenized field, and its kind that of the raw value. */
  token?: TokenizedOutput;
  /** `dataset.field`, for messages. */
  label: string;
}

export interface PlanSources {
  /** In the order of the query's datasets. */
  sources: readonly PlanSource[];
  column(ref: FieldRef): PlanColumn;
}

/** The name a table has inside a derived table, and nowhere else. */
const RAW_ALIAS = 'raw';

/** The name of the `index`-th dataset outside. Names that requesters choose never become SQL. */
function sourceAlias(index: number): string {
  return `t${index + 1}`;
}

/**
 * Builds FROM. A dataset of which the query uses a masked field becomes a derived table that projects exactly the fields
 * used, already masked; the columns handed out are those of the derived table, so no clause can name a raw one.
 * Throws `internal` where a hidden field is used: such a query was to be denied.
 */
export function planSources(
  resolved: readonly ResolvedSource[],
  used: readonly Uint8Array[],
  visibility: Visibility,
): PlanSources {
  const columns = resolved.map((): PlanColumn[] => []);
  const sources = resolved.map((source, index): PlanSource => {
    const { dataset } = source;
    const fields = dataset.fields.filter((field) => used[index]?.[field.index] === 1);
    const alias = sourceAlias(index);
    const own = columns[index] ?? [];
    const from = { alias, table: dataset.table, rawAlias: RAW_ALIAS };
    if (fields.every((field) => isRaw(dataset.name, field.name, visibility))) {
      for (const field of fields) own[field.index] = rawColumn(field, alias);
      return { ...from, derived: null };
    }
    const seen = fields.map((field) => seeField(source, field, visibility));
    for (const one of seen) own[one.field.index] = derivedColumn(one, alias);
    return {
      ...from,
      derived: seen.map(({ field, inside }) => ({ name: field.name, expr: inside })),
    };
  });
  return {
    sources,
    column(ref) {
      const column = columns[ref.source]?.[ref.at];
      if (column === undefined) throw new VkitError('internal', 'A plan uses a field it left out.');
      return column;
    },
  };
}

interface SeenField {
  field: CatalogField;
  /** The expression inside the derived table. */
  inside: Expr;
  kind: FieldKind;
  type: string;
  masked?: MaskMethod;
  token?: TokenizedOutput;
}

function seeField(
  { dataset }: ResolvedSource,
  field: CatalogField,
  visibility: Visibility,
): SeenField {
  const { kind, type, name } = field;
  const inside: Expr = { node: 'column', source: RAW_ALIAS, name, kind, type };
  const seen = visibility(dataset.name, name);
  if (seen.state === 'raw') return { field, inside, kind, type };
  if (seen.state === 'hidden') {
    throw new VkitError('internal', 'A query that touches a denied field came to be planned.');
  }
  const applied = applyMask({ column: inside, kind, type }, seen.mask);
  const { method: masked } = applied;
  if (applied.sealed) {
    const domain = tokenDomain(dataset, field);
    const sealed: Expr = { ...inside, sealed: domain };
    return { field, inside: sealed, kind, type, masked, token: { domain, type } };
  }
  return { field, inside: applied.expr, kind: applied.kind, type: applied.type, masked };
}

/**
 * What a field's tokens are made under: its classification, so that the same value has the same token wherever it
 * occurs, or the field itself where nobody has said what it is.
 */
function tokenDomain(dataset: CatalogDataset, field: CatalogField): string {
  const { classification } = field;
  return JSON.stringify(
    classification === undefined ? ['field', dataset.name, field.name] : ['class', classification],
  );
}

/** A field of a table that stands in FROM itself. */
function rawColumn({ name, kind, type, label }: CatalogField, source: string): PlanColumn {
  return { expr: { node: 'column', source, name, kind, type }, kind, type, label };
}

/** A field of a derived table, masked or not. */
function derivedColumn(seen: SeenField, source: string): PlanColumn {
  const { kind, type, masked, token } = seen;
  // A derived table has already cast what needs a cast to be read as its kind.
  const readAs = kind === 'text' || kind === 'other' ? kind : type;
  const { name, label } = seen.field;
  const expr: Expr = { node: 'column', source, name, kind, type: readAs };
  if (token === undefined) {
    return { expr, kind, type, label, ...(masked !== undefined && { masked }) };
  }
  return { expr: { ...expr, sealed: token.domain }, kind, type: 'text', label, masked, token };
}
