import type { FieldVisibility } from '../../../src/aql/visibility.js';
import type { Mask, MaskMethod } from '../../../src/masking/model.js';
import {
  isCompared,
  isRanged,
  joins,
  takesAggregate,
  takesOperator,
} from '../reference/abilities.js';
import { TOKEN_OPERATORS, type Typed, typeOfAggregate } from '../reference/check.js';
import { type Ref, type Source, sourceOf } from '../reference/names.js';
import type { ReferenceDataset, ReferenceWorld } from '../reference/schema.js';
import { compareValues, kindOf } from '../reference/value.js';
import { arbitraryConstant } from './arbitrary-constant.js';
import { FUNCTIONS, OPERATORS, type Target } from './cells.js';
import type { Dice } from './dice.js';
import type { EngineProfile } from './engine-profile.js';
import { withMistake } from './mistakes.js';
import { TEST_TOKENS } from './real-answer.js';

type Json = Record<string, unknown>;

/** A query, and how its requester sees the fields. */
export interface TestCase {
  query: unknown;
  /** By `visibilityKey`; what is not here is readable as it is. */
  visibilities: Readonly<Record<string, FieldVisibility>>;
  maxRows: number | null;
}

export const visibilityKey = (dataset: string, field: string) => `${dataset} → ${field}`;

export function worldOf(
  { visibilities, maxRows }: TestCase,
  datasets: readonly ReferenceDataset[],
  profile: EngineProfile,
): ReferenceWorld {
  const visibility = (dataset: string, field: string): FieldVisibility =>
    visibilities[visibilityKey(dataset, field)] ?? { state: 'raw' };
  return { datasets, visibility, maxRows, limits: profile.limits, tokens: TEST_TOKENS };
}

/** How a field, by its `visibilityKey`, may be seen: what is there several times is chosen as often. */
export type SeenAs = (key: string) => readonly FieldVisibility[];

/**
 * A case that reaches the target; without one it may be about anything, and have a mistake in it. Without `seenAs` every
 * field may be seen in every way.
 */
export function arbitraryCase(
  dice: Dice,
  datasets: readonly ReferenceDataset[],
  profile: EngineProfile,
  target?: Target,
  seenAs?: SeenAs,
): TestCase {
  return new CaseBuilder(dice, datasets, profile, target, seenAs).build();
}

/** `raw`, `hidden`, or the method of the mask. */
export const methodOf = (seen: FieldVisibility): string =>
  seen.state === 'masked' ? seen.mask.method : seen.state;

interface Picked extends Ref {
  seen: Typed;
}

class CaseBuilder {
  private readonly sources: Source[] = [];
  private readonly aliases: (string | null)[] = [];
  private readonly visibilities: Record<string, FieldVisibility> = {};
  private world: ReferenceWorld;
  /** The field that the target is about, until it is used. */
  private wanted: { dataset: ReferenceDataset; index: number } | undefined;

  constructor(
    private readonly dice: Dice,
    private readonly datasets: readonly ReferenceDataset[],
    private readonly profile: EngineProfile,
    private readonly target: Target = [],
    private readonly seenAs?: SeenAs,
  ) {
    this.world = worldOf({ query: null, visibilities: {}, maxRows: null }, datasets, profile);
  }

  build(): TestCase {
    const { dice } = this;
    this.chooseVisibilities();
    const maxRows = dice.oneIn(12) ? dice.pick([3, 5, 1, 2, 0, 8, 6, 4]) : null;
    const written = { query: null, visibilities: this.visibilities, maxRows };
    this.world = worldOf(written, this.datasets, this.profile);
    const first = this.wanted?.dataset ?? dice.pick(this.datasets);
    const joining = this.clause === 'join';
    this.addSource(dice.oneIn(3) && !joining ? dice.pick(this.datasets) : first);
    const joined = this.joins();
    const query = this.isOfGroups() ? this.groupsQuery() : this.rowsQuery();
    const all = {
      source_table: this.sources[0]?.dataset.name,
      ...query,
      ...(joined.length > 0 && { joins: joined.map((write) => write()) }),
      ...this.limits(),
    };
    const isFree = this.target.length === 0;
    if (this.clause === 'refused') {
      return { ...written, query: withMistake(dice, all, undefined, this.target[1]) };
    }
    return {
      ...written,
      query: isFree && dice.oneIn(6) ? withMistake(dice, all, this.hiddenName()) : all,
    };
  }

  private get clause(): string | undefined {
    return this.target[0];
  }

  private isOfGroups(): boolean {
    if (this.clause === undefined) return this.dice.oneIn(3);
    if (['aggregate', 'having', 'group_by', 'grouped columns'].includes(this.clause)) return true;
    if (this.target[1] === 'aggregate') return true;
    return this.clause === 'filter' && this.dice.oneIn(4);
  }

  // How fields are seen.

  private chooseVisibilities(): void {
    const { dice } = this;
    const maskOf = (method: string): FieldVisibility =>
      method === 'raw'
        ? { state: 'raw' }
        : { state: 'masked', mask: this.mask(method as MaskMethod) };
    const methods = ['partial', 'hash', 'full', 'nullify', 'tokenize'];
    // What is refused for one reason is to be refused for no other.
    const isPlain = this.clause === 'refused';
    const isMasking = !isPlain && !dice.oneIn(2);
    const isHiding = !isPlain && dice.oneIn(5);
    for (const { name, fields } of this.datasets) {
      for (const field of fields) {
        const key = visibilityKey(name, field.name);
        if (this.seenAs !== undefined) this.visibilities[key] = dice.pick(this.seenAs(key));
        else if (isMasking && dice.oneIn(4)) this.visibilities[key] = maskOf(dice.pick(methods));
        else if (isHiding && dice.oneIn(6)) this.visibilities[key] = { state: 'hidden' };
      }
    }
    const [kind, method] = this.targetField();
    if (kind === undefined || method === undefined) return;
    const fitting = this.datasets.flatMap((dataset) =>
      dataset.fields.flatMap((field, index) => {
        const key = visibilityKey(dataset.name, field.name);
        const ways = this.seenAs?.(key).filter((seen) => methodOf(seen) === method);
        if (kindOf(field.type) !== kind || ways?.length === 0) return [];
        return [{ dataset, index, ways }];
      }),
    );
    const withRows = fitting.filter(({ dataset }) => dataset.rows.length > 0);
    const chosen = dice.pick(withRows.length > 0 ? withRows : fitting);
    this.wanted = chosen;
    const { dataset, index, ways } = chosen;
    const field = dataset.fields[index]?.name ?? '';
    const seen = ways === undefined ? maskOf(method) : dice.pick(ways);
    this.visibilities[visibilityKey(dataset.name, field)] = seen;
  }

  /** Kind and mask of the target's field: the last two of its parts, where it has a field. */
  private targetField(): readonly (string | undefined)[] {
    const hasNone = this.clause === 'having' || this.clause === 'refused';
    if (hasNone || this.target[1] === 'aggregate') return [];
    return this.target.slice(-2);
  }

  private mask(method: MaskMethod): Mask {
    if (method !== 'partial') return { method };
    const prefix = this.dice.upTo(3);
    const suffix = this.dice.upTo(2);
    return { method, prefix, suffix, minLength: this.dice.pick([2 * (prefix + suffix), 0, 1, 4]) };
  }

  private hiddenName(): string | undefined {
    const [source] = this.sources;
    const hidden = source?.dataset.fields.find(
      ({ name }) => this.world.visibility(source.dataset.name, name).state === 'hidden',
    );
    return hidden?.name;
  }

  // Datasets and the names of their fields.

  private addSource(dataset: ReferenceDataset): void {
    const isTaken = this.sources.some(
      ({ label }) => label.toLowerCase() === dataset.name.toLowerCase(),
    );
    const needsAlias = this.sources.length > 0 && (isTaken || this.dice.oneIn(2));
    const free = ['o', 'P', 'other one', 'a.b', '$1', 'x"'].filter(
      (alias) => !this.aliases.includes(alias),
    );
    const alias = needsAlias ? this.dice.pick(free) : null;
    this.aliases.push(alias);
    this.sources.push(sourceOf(dataset, alias ?? dataset.name, this.world));
  }

  private fieldsOf(source: number): Picked[] {
    const one = this.sources[source];
    if (one === undefined) return [];
    return one.dataset.fields.flatMap((field, index) => {
      const seen = one.sights[index];
      const isHidden = this.world.visibility(one.dataset.name, field.name).state === 'hidden';
      return seen === undefined || isHidden ? [] : [{ source, index, seen }];
    });
  }

  private get fields(): Picked[] {
    return this.sources.flatMap((_, source) => this.fieldsOf(source));
  }

  /** The field of the target where the query has its dataset, else any that suits. */
  private field(
    clause: string,
    suits: (field: Picked) => boolean = () => true,
  ): Picked | undefined {
    const { wanted } = this;
    if (wanted !== undefined && this.clause === clause) {
      const found = this.fields.find(
        ({ source, index }) =>
          index === wanted.index && this.sources[source]?.dataset === wanted.dataset,
      );
      this.wanted = undefined;
      if (found !== undefined) return found;
    }
    const suitable = this.fields.filter(suits);
    return suitable.length === 0 ? undefined : this.dice.pick(suitable);
  }

  private write({ source, index }: Ref): string {
    const { dice } = this;
    const one = this.sources[source];
    const name = one?.dataset.fields[index]?.name ?? '';
    const isAlike = (other: string) => other.toLowerCase() === name.toLowerCase();
    const namesakes = this.fields.length === 0 ? [] : this.allNames().filter(isAlike);
    if (namesakes.length === 1 && !dice.oneIn(3)) return dice.oneIn(10) ? swapCase(name) : name;
    const key = one?.dataset.name ?? '';
    const byKey = this.sources.filter(({ dataset }) => dataset === one?.dataset).length === 1;
    const prefix = byKey && dice.oneIn(4) ? key : one?.label;
    return `${prefix}.${name}`;
  }

  private allNames(): string[] {
    return this.sources.flatMap(({ dataset }) => dataset.fields.map((field) => field.name));
  }

  // FROM.

  private joins(): (() => Json)[] {
    const { dice } = this;
    const isTarget = this.clause === 'join';
    const needsOther =
      this.wanted !== undefined && this.sources[0]?.dataset !== this.wanted.dataset;
    const usual = this.clause === 'refused' ? [0] : [0, 0, 0, 1, 1, 2];
    const count = isTarget || needsOther ? 1 : dice.pick(usual);
    return Array.from({ length: count }, () => {
      const at = this.sources.length;
      const wanted = this.wanted?.dataset;
      this.addSource((isTarget || needsOther) && wanted ? wanted : dice.pick(this.datasets));
      const pairs = this.pairs(at);
      const type = isTarget ? (this.target[1] ?? '') : dice.pick(this.joinTypes());
      return () => this.writeJoin(at, type, pairs);
    });
  }

  private joinTypes(): string[] {
    const { joinTypes } = this.profile.limits;
    const missing = ['FULL'].filter((type) => !joinTypes.some((one) => one === type));
    return ['INNER', 'LEFT', 'LEFT', 'LEFT', ...joinTypes, ...(this.dice.oneIn(8) ? missing : [])];
  }

  private pairs(at: number): { left: Ref; right: Ref }[] {
    const { dice, wanted } = this;
    const before = this.fields.filter(({ source }) => source < at);
    const own = this.fieldsOf(at);
    const isConstant = ({ seen }: Picked) => seen.masked === 'full' || seen.masked === 'nullify';
    const fits = (left: Picked, right: Picked) =>
      joins(left.seen.kind, right.seen.kind) &&
      left.seen.token?.domain === right.seen.token?.domain;
    if (this.clause === 'join' && wanted !== undefined) {
      this.wanted = undefined;
      const right = own.find(({ index }) => index === wanted.index);
      // A field that is seen alike: the same one, where the dataset joins with itself.
      const alike = before.filter((left) => right && fits(left, right) && !isConstant(left));
      const left =
        alike.length > 0 ? dice.pick(alike) : before.find(({ index }) => index === wanted.index);
      if (right !== undefined && left !== undefined)
        return [{ left, right }, ...this.second(before, own)];
    }
    const all = before.flatMap((left) =>
      own.filter((right) => fits(left, right)).map((right) => ({ left, right })),
    );
    const useful = all.filter(({ left, right }) => !isConstant(left) && !isConstant(right));
    const met = useful.filter(({ left, right }) => this.meet(left, right));
    const list = [met, useful, all].filter((one) => one.length > 0);
    const [best] = list;
    if (best === undefined) return [this.anyPair(before, own)];
    return [dice.pick(dice.oneIn(8) ? (list[1] ?? best) : best), ...this.second(before, own)];
  }

  /** Whether a row of one and a row of the other have the same there. */
  private meet(left: Ref, right: Ref): boolean {
    const valuesOf = ({ source, index }: Ref) =>
      (this.sources[source]?.rows ?? []).flatMap((row) => row[index] ?? []);
    return valuesOf(left).some((one) =>
      valuesOf(right).some((other) => compareValues(one, other) === 0),
    );
  }

  private second(before: readonly Picked[], own: readonly Picked[]): { left: Ref; right: Ref }[] {
    if (!this.dice.oneIn(5)) return [];
    const all = before.flatMap((left) =>
      own.flatMap((right) =>
        joins(left.seen.kind, right.seen.kind) && !left.seen.token && !right.seen.token
          ? [{ left, right }]
          : [],
      ),
    );
    return all.length === 0 ? [] : [this.dice.pick(all)];
  }

  private anyPair(before: readonly Picked[], own: readonly Picked[]): { left: Ref; right: Ref } {
    const none = { source: 0, index: 0 };
    return {
      left: before[0] ?? none,
      right: own[0] ?? { ...none, source: this.sources.length - 1 },
    };
  }

  private writeJoin(at: number, type: string, pairs: readonly { left: Ref; right: Ref }[]): Json {
    const written = pairs.map(({ left, right }) => {
      const [one, other] = this.dice.oneIn(4) ? [right, left] : [left, right];
      return { left_field: this.write(one), right_field: this.write(other) };
    });
    const alias = this.aliases[at];
    return {
      ...(type !== 'INNER' || this.dice.oneIn(2) ? { type } : {}),
      table: this.sources[at]?.dataset.name,
      ...(alias !== null && { alias }),
      ...written[0],
      ...(written.length > 1 && { and: written.slice(1) }),
    };
  }

  // Clauses.

  private rowsQuery(): Json {
    const { dice } = this;
    const order = this.orders(
      this.clause === 'order_by' ? 1 : 0,
      (field) => isCompared(field.seen.kind) && field.seen.token === undefined,
    );
    const isStar = dice.oneIn(8);
    const target = this.clause === 'columns' ? this.field('columns') : undefined;
    const others = dice.some(this.fields, target ? 0 : 1, 4);
    const columns = this.unique([...(target ? [target] : []), ...others]);
    return {
      columns: [
        ...columns.map((ref) => this.write(ref)),
        ...(isStar || columns.length === 0 ? ['*'] : []),
      ],
      ...this.filters(),
      ...order,
    };
  }

  private groupsQuery(): Json {
    const { dice, clause } = this;
    const isKey = ({ seen }: Picked) => isCompared(seen.kind);
    const keyClause = clause === 'group_by' ? clause : 'grouped columns';
    const needsKey = clause === 'group_by' || clause === 'grouped columns';
    const wantedKey = needsKey ? this.field(keyClause, isKey) : undefined;
    const more = dice.some(this.fields.filter(isKey), 0, 2);
    const keys = this.unique([...(wantedKey ? [wantedKey] : []), ...more]);
    const isExplicit = keys.length > 0 && (clause === 'group_by' || (!needsKey && dice.oneIn(2)));
    const columns = isExplicit ? dice.some(keys, 0, keys.length) : keys;
    const aggregates = this.aggregates(isExplicit && columns.length > 0 ? 0 : 1);
    const having = clause === 'having' || dice.oneIn(2) ? this.having(aggregates) : {};
    return {
      ...(columns.length > 0 && { columns: columns.map((ref) => this.write(ref)) }),
      ...(aggregates.length > 0 && { aggregates: aggregates.map(({ json }) => json) }),
      ...(isExplicit && { group_by: keys.map((ref) => this.write(ref)) }),
      ...this.filters(),
      ...having,
      ...this.groupOrders(keys, aggregates),
    };
  }

  private unique(refs: readonly Picked[]): Picked[] {
    return refs.filter(
      (ref, at) =>
        refs.findIndex(({ source, index }) => source === ref.source && index === ref.index) === at,
    );
  }

  private aggregates(
    min: number,
  ): { name: string; func: string; seen: Typed; values: Picked; json: Json }[] {
    const { dice, target } = this;
    const isTarget = this.clause === 'aggregate';
    const needsOne = isTarget || this.clause === 'having' || target[1] === 'aggregate';
    const count = needsOne ? 1 + dice.upTo(1) : min + dice.upTo(2);
    const wantedFunc =
      this.clause === 'having' || target[1] === 'aggregate' ? target[2] : target[1];
    return Array.from({ length: count }, (_, at) => {
      const func = needsOne && at === 0 ? (wantedFunc ?? 'count') : dice.pick(FUNCTIONS);
      const suits = ({ seen }: Picked) =>
        takesAggregate(seen.kind, func) && (seen.token === undefined || func.startsWith('count'));
      const field = this.field('aggregate', suits) ?? this.fields[0];
      if (field === undefined) return [];
      const isStar = func === 'count' && !(isTarget && at === 0) && dice.oneIn(3);
      const alias = dice.oneIn(2) ? dice.pick(['n', 'Total', 'sum(x)', 'ü "q"']) : null;
      const name = this.sources[field.source]?.dataset.fields[field.index]?.name;
      const own = isStar ? 'count' : `${func}_${name}`;
      const seen = typeOfAggregate(func, isStar ? null : (field.seen as Source['sights'][number]));
      const json = { func, field: isStar ? '*' : this.write(field), ...(alias && { alias }) };
      return [{ name: alias ?? own, func, seen, values: field, json }];
    })
      .flat()
      .filter((one, at, all) => all.findIndex(({ name }) => name === one.name) === at);
  }

  private having(aggregates: ReturnType<CaseBuilder['aggregates']>): Json {
    const { dice, target } = this;
    const [first] = aggregates;
    if (first === undefined) return {};
    const isTarget = this.clause === 'having';
    const one = isTarget ? first : dice.pick(aggregates);
    const fitting = OPERATORS.filter((operator) => takesOperator(one.seen.kind, operator));
    const operator = isTarget ? (target[1] ?? '') : dice.pick(fitting);
    const call = `${dice.oneIn(2) ? one.func.toUpperCase() : one.func}(${one.json.field})`;
    const values =
      one.seen.kind === 'integer' && one.func.startsWith('count')
        ? ['1', '2', '3', '0']
        : this.valuesOf(one.values);
    const value = arbitraryConstant(dice, operator, one.seen.kind, values);
    const condition = { operator, field: dice.oneIn(2) ? call : one.name, ...value };
    if (dice.oneIn(6)) return { having: [condition] };
    const wide = {
      operator: dice.pick(['is_not_null', 'is_not_null', 'is_not_null', 'is_null']),
      field: call,
    };
    return { having: [{ logic: 'OR', conditions: dice.shuffled([condition, wide]) }] };
  }

  private orders(min: number, suits: (field: Picked) => boolean): Json {
    const { dice } = this;
    const count = min + dice.upTo(2);
    const list = Array.from({ length: count }, () => {
      const field = this.field('order_by', suits);
      return field === undefined ? [] : [this.writeOrder(this.write(field))];
    }).flat();
    if (list.length === 0) return {};
    return { order_by: list.length === 1 && dice.oneIn(2) ? list[0] : list };
  }

  private groupOrders(keys: readonly Picked[], aggregates: readonly { name: string }[]): Json {
    const { dice } = this;
    const plain = keys.filter(({ seen }) => seen.token === undefined);
    const names = [...aggregates.map(({ name }) => name), ...plain.map((key) => this.write(key))];
    const isTarget = this.target[1] === 'aggregate' && aggregates.length > 0;
    const chosen = isTarget ? names.slice(0, 1) : dice.some(names, 0, 2);
    return chosen.length === 0 ? {} : { order_by: chosen.map((name) => this.writeOrder(name)) };
  }

  private writeOrder(column: string): Json {
    const { dice } = this;
    const direction = dice.pick([undefined, 'DESC', 'ASC', 'desc']);
    const nulls = dice.pick([undefined, 'first', 'last']);
    return { column, ...(direction && { direction }), ...(nulls && { nulls }) };
  }

  private limits(): Json {
    const { dice } = this;
    return {
      ...(dice.oneIn(4) && { limit: dice.upTo(8) }),
      ...(dice.oneIn(10) && { offset: 1 + dice.upTo(1) }),
    };
  }

  // Conditions.

  private filters(): Json {
    const { dice } = this;
    const isTarget = this.clause === 'filter';
    const count = isTarget ? 1 : dice.pick([0, 0, 1, 1, 2]);
    const list = Array.from({ length: count }, () => this.condition(isTarget ? 2 : 0));
    return list.length === 0 ? {} : { filters: list.map((one) => this.widened(one)) };
  }

  /** Often the condition or another that many rows fulfil, so that not too few answers have rows. */
  private widened(condition: Json): Json {
    const { dice } = this;
    const useful = this.fields.filter(
      ({ seen }) => isCompared(seen.kind) && seen.masked !== 'nullify',
    );
    if (useful.length === 0 || dice.oneIn(5)) return condition;
    const field = dice.pick(useful);
    const wide = {
      operator: dice.pick(['is_not_null', 'is_not_null', 'is_not_null', 'is_null']),
      field: this.write(field),
    };
    return { logic: 'OR', conditions: dice.shuffled([condition, wide]) };
  }

  private condition(depth: number): Json {
    const { dice } = this;
    if (depth >= 2 || !dice.oneIn(3)) return this.comparison();
    const logic = dice.pick(['OR', 'NOT', 'AND', 'or']);
    const conditions = Array.from({ length: 1 + dice.upTo(2) }, () => this.condition(depth + 1));
    return { logic, conditions };
  }

  private comparison(): Json {
    const { dice, target } = this;
    const isTarget = this.clause === 'filter' && this.wanted !== undefined;
    const isUseful = ({ seen }: Picked) => isCompared(seen.kind);
    const field = this.field('filter', dice.oneIn(10) ? undefined : isUseful) ?? this.fields[0];
    if (field === undefined) return { operator: 'is_null', field: 'nothing' };
    const { kind } = field.seen;
    const { token } = field.seen;
    const fitting = OPERATORS.filter(
      (operator) =>
        takesOperator(kind, operator) &&
        (token === undefined || TOKEN_OPERATORS.includes(operator)),
    );
    const wide =
      isRanged(kind) && token === undefined
        ? ['neq', 'lte', 'gte', 'not_in', 'is_not_null']
        : ['neq', 'is_not_null'];
    const matching = kind === 'text' && token === undefined ? [...wide, 'like', 'not_like'] : wide;
    const usual = isCompared(kind) && dice.oneIn(2) ? matching : fitting;
    const operator = isTarget ? (target[1] ?? '') : dice.pick(usual);
    const spelled = dice.oneIn(8) ? operator.toUpperCase() : operator;
    // Of a token there are no near misses.
    const value = arbitraryConstant(dice, operator, token ? 'other' : kind, this.valuesOf(field));
    return { operator: spelled, field: this.write(field), ...value };
  }

  /** What the requester sees in the field, spelled. */
  private valuesOf({ source, index }: Ref): string[] {
    const one = this.sources[source];
    const isMasked = one?.sights[index]?.masked !== undefined;
    const rows = isMasked ? one?.rows : one?.dataset.rows;
    return (rows ?? []).flatMap((row) => {
      const cell = row[index];
      return typeof cell === 'string' ? [cell] : [];
    });
  }
}

function swapCase(name: string): string {
  return name === name.toLowerCase() ? name.toUpperCase() : name.toLowerCase();
}
