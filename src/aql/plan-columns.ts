import { applyMask, type Mask, type MaskMethod } from '../masking/index.js';
import type { FieldKind } from '../schema/field-type.js';
import type { CatalogDataset, CatalogField } from './catalog.js';
import type { Expr } from './expression.js';
import type { PlannedOutput, PlanSource, ProjectedColumn, TokenizedOutput } from './plan.js';

/** A field as the query outside FROM sees it. Plans share it. */
export interface PlanColumn {
  readonly expr: Expr;
  readonly kind: FieldKind;
  /** The normalised type of what is seen: `text` where a mask makes it one. */
  readonly type: string;
  readonly masked?: MaskMethod;
  /** Set where `expr` is the raw value of a tokenized field, and its kind that of the raw value. */
  readonly token?: TokenizedOutput;
  /** `dataset.field`, for messages. */
  readonly label: string;
  /** The field as an output of its own name. */
  readonly output: PlannedOutput;
}

/** One column of a derived table, and what the query outside sees of it. */
export interface DerivedColumn {
  readonly projected: ProjectedColumn;
  readonly column: PlanColumn;
}

/** A dataset at its place in FROM. All of it is made once and shared by all plans; `at` is a field's index in `fields`. */
export interface SeenFields {
  /** The table itself. */
  readonly source: PlanSource;
  /** As a field of a table that stands in FROM itself. */
  raw(at: number): PlanColumn;
  /** As a field of a derived table, masked or, with `null`, as it is. */
  derived(at: number, mask: Mask | null): DerivedColumn;
}

/** The name a table has inside a derived table, and nowhere else. */
const RAW_ALIAS = 'raw';

/** The name of the `index`-th dataset outside. Names that requesters choose never become SQL. */
function sourceAlias(index: number): string {
  return `t${index + 1}`;
}

/** So many masks of one field are remembered: policies rarely have more than one. */
const MASKS_MAX = 8;

/** Of the datasets of a catalog, by their place in FROM, which has as many as joins are allowed; they go with it. */
const SEEN = new WeakMap<CatalogDataset, (SeenFields | undefined)[]>();

/** A dataset as the `index`-th of a query. */
export function seenFields(dataset: CatalogDataset, index: number): SeenFields {
  let places = SEEN.get(dataset);
  if (places === undefined) {
    places = [];
    SEEN.set(dataset, places);
  }
  let seen = places[index];
  if (seen === undefined) {
    seen = createSeenFields(dataset, sourceAlias(index));
    places[index] = seen;
  }
  return seen;
}

function createSeenFields(dataset: CatalogDataset, alias: string): SeenFields {
  const { fields } = dataset;
  const raw: (PlanColumn | undefined)[] = fields.map(() => undefined);
  const derived = fields.map((): { mask: Mask | null; seen: DerivedColumn }[] => []);
  return {
    source: { alias, table: dataset.table, derived: null, rawAlias: RAW_ALIAS },
    raw(at) {
      let column = raw[at];
      if (column === undefined) {
        column = rawColumn(fields[at] as CatalogField, alias);
        raw[at] = column;
      }
      return column;
    },
    derived(at, mask) {
      const known = derived[at] ?? [];
      const found = known.find((one) => sameMask(one.mask, mask));
      if (found !== undefined) return found.seen;
      const seen = derivedColumn(dataset, fields[at] as CatalogField, mask, alias);
      if (known.length < MASKS_MAX) known.push({ mask, seen });
      return seen;
    },
  };
}

function sameMask(left: Mask | null, right: Mask | null): boolean {
  if (left === right) return true;
  if (left?.method !== 'partial' || right?.method !== 'partial') {
    return left?.method === right?.method;
  }
  return (
    left.prefix === right.prefix &&
    left.suffix === right.suffix &&
    left.minLength === right.minLength
  );
}

/** A field of a table that stands in FROM itself. */
function rawColumn({ name, kind, type, label }: CatalogField, source: string): PlanColumn {
  const expr: Expr = { node: 'column', source, name, kind, type };
  return withOutput(name, { expr, kind, type, label });
}

/** A field of a derived table, masked or not. */
function derivedColumn(
  dataset: CatalogDataset,
  field: CatalogField,
  mask: Mask | null,
  source: string,
): DerivedColumn {
  const { name, label } = field;
  const { inside, kind, type, masked, token } = projectField(dataset, field, mask);
  // A derived table has already cast what needs a cast to be read as its kind.
  const readAs = kind === 'text' || kind === 'other' ? kind : type;
  const expr: Expr = { node: 'column', source, name, kind, type: readAs };
  const column =
    token === undefined
      ? { expr, kind, type, label, ...(masked !== undefined && { masked }) }
      : { expr: { ...expr, sealed: token.domain }, kind, type: 'text', label, masked, token };
  return { projected: { name, expr: inside }, column: withOutput(name, column) };
}

function withOutput(name: string, column: Omit<PlanColumn, 'output'>): PlanColumn {
  return { ...column, output: outputOf(name, column, column.expr) };
}

/** A column as an output, under a name and as an expression of the query's. */
export function outputOf(
  name: string,
  { type, masked, kind, token }: Pick<PlanColumn, 'type' | 'masked' | 'kind' | 'token'>,
  expr: Expr,
): PlannedOutput {
  const column = masked === undefined ? { name, type } : { name, type, masked };
  return token === undefined ? { column, expr, kind } : { column, expr, kind, token };
}

interface ProjectedField {
  /** The expression inside the derived table. */
  inside: Expr;
  kind: FieldKind;
  type: string;
  masked?: MaskMethod;
  token?: TokenizedOutput;
}

function projectField(
  dataset: CatalogDataset,
  field: CatalogField,
  mask: Mask | null,
): ProjectedField {
  const { kind, type, name } = field;
  const inside: Expr = { node: 'column', source: RAW_ALIAS, name, kind, type };
  if (mask === null) return { inside, kind, type };
  const applied = applyMask({ column: inside, kind, type }, mask);
  const { method: masked } = applied;
  if (applied.sealed) {
    const domain = tokenDomain(dataset, field);
    const sealed: Expr = { ...inside, sealed: domain };
    return { inside: sealed, kind, type, masked, token: { domain, type } };
  }
  return { inside: applied.expr, kind: applied.kind, type: applied.type, masked };
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
