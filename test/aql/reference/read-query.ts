import type { AggregateFunction, FilterOperator, JoinType } from '../../../src/aql/model.js';

/** A query as the reference reads it: every part there, lists where it has none. */
export interface Query {
  source: string;
  columns: string[];
  joins: JoinPart[];
  aggregates: AggregatePart[];
  filters: Condition[];
  groupBy: string[];
  having: Condition[];
  orderBy: OrderPart[];
  limit: number | null;
  offset: number;
}

export interface JoinPart {
  type: JoinType;
  table: string;
  alias: string | null;
  pairs: { left: string; right: string }[];
}

export interface AggregatePart {
  func: AggregateFunction;
  field: string;
  alias: string | null;
}

export type Condition =
  | { logic: 'AND' | 'OR' | 'NOT'; conditions: Condition[] }
  | { operator: FilterOperator; field: string; value: unknown };

export interface OrderPart {
  column: string;
  direction: 'ASC' | 'DESC';
  nulls: 'first' | 'last' | null;
}

type Json = Record<string, unknown>;

/** Reads the JSON of a requester, or the codes of what is wrong with it. */
export function readQuery(json: unknown): { query: Query } | { problems: string[] } {
  const problems: string[] = [];
  const query = new Reader(problems).query(json);
  return query === undefined || problems.length > 0 ? { problems } : { query };
}

class Reader {
  constructor(private readonly problems: string[]) {}

  query(json: unknown): Query | undefined {
    const keys = ['source_table', 'columns', 'joins', 'aggregates', 'filters', 'group_by'];
    const object = this.object(json, [...keys, 'having', 'order_by', 'limit', 'offset']);
    if (object === undefined) return undefined;
    const isEmpty = (part: unknown) => part == null || (Array.isArray(part) && part.length === 0);
    if (isEmpty(object.columns) && isEmpty(object.aggregates)) this.problems.push('required');
    const order = object.order_by;
    return {
      source: this.name(object.source_table),
      columns: this.list(object.columns).map((one) => this.name(one)),
      joins: this.list(object.joins).flatMap((one) => this.join(one)),
      aggregates: this.list(object.aggregates).flatMap((one) => this.aggregate(one)),
      filters: this.list(object.filters).flatMap((one) => this.condition(one)),
      groupBy: this.list(object.group_by).map((one) => this.name(one)),
      having: this.list(object.having).flatMap((one) => this.condition(one)),
      orderBy: this.list(order == null || Array.isArray(order) ? order : [order]).flatMap((one) =>
        this.order(one),
      ),
      // "`limit: 0` means absent."
      limit: this.count(object.limit) || null,
      offset: this.count(object.offset),
    };
  }

  private join(json: unknown): JoinPart[] {
    const keys = ['type', 'table', 'alias', 'left_field', 'right_field', 'and'];
    const object = this.object(json, keys);
    if (object === undefined) return [];
    const more = this.list(object.and).flatMap((one): Json[] => {
      const pair = this.object(one, ['left_field', 'right_field']);
      return pair === undefined ? [] : [pair];
    });
    return [
      {
        type: this.word(object.type ?? 'INNER', ['INNER', 'LEFT', 'RIGHT', 'FULL']),
        table: this.name(object.table),
        alias: object.alias == null ? null : this.name(object.alias),
        pairs: [object, ...more].map((pair) => ({
          left: this.name(pair.left_field),
          right: this.name(pair.right_field),
        })),
      },
    ];
  }

  private aggregate(json: unknown): AggregatePart[] {
    const object = this.object(json, ['func', 'field', 'alias']);
    if (object === undefined) return [];
    const functions: AggregateFunction[] = ['count', 'count_distinct', 'sum', 'avg', 'min', 'max'];
    const part: AggregatePart = {
      func: this.word(object.func, functions),
      field: this.name(object.field),
      alias: object.alias == null ? null : this.name(object.alias),
    };
    if (part.field === '*' && part.func !== 'count') this.problems.push('value');
    return [part];
  }

  private condition(json: unknown): Condition[] {
    const isGroup = typeof json === 'object' && json !== null && 'logic' in json;
    const object = this.object(
      json,
      isGroup ? ['logic', 'conditions'] : ['operator', 'field', 'value'],
    );
    if (object === undefined) return [];
    if (isGroup) {
      const conditions = this.list(object.conditions);
      if (conditions.length === 0) this.problems.push('required');
      const logic = this.word(object.logic, ['AND', 'OR', 'NOT']);
      return [{ logic, conditions: conditions.flatMap((one) => this.condition(one)) }];
    }
    const ranges: FilterOperator[] = ['eq', 'neq', 'gt', 'lt', 'gte', 'lte', 'between'];
    const others: FilterOperator[] = ['like', 'not_like', 'in', 'not_in', 'is_null', 'is_not_null'];
    const operator = this.word(object.operator, [...ranges, ...others]);
    // What an operator that does not exist takes is nobody's guess.
    if (this.problems.at(-1) !== 'enum') this.operand(operator, object.value ?? undefined);
    return [{ operator, field: this.name(object.field), value: object.value }];
  }

  private operand(operator: FilterOperator, value: unknown): void {
    if (operator === 'is_null' || operator === 'is_not_null') {
      if (value !== undefined) this.problems.push('value');
    } else if (operator === 'in' || operator === 'not_in' || operator === 'between') {
      if (!Array.isArray(value) || (operator === 'between' && value.length !== 2)) {
        this.problems.push('value');
      } else for (const one of value) this.scalar(one ?? undefined);
    } else {
      this.scalar(value);
      const isPattern = operator === 'like' || operator === 'not_like';
      if (isPattern && value !== undefined && typeof value !== 'string')
        this.problems.push('value');
    }
  }

  private scalar(value: unknown): void {
    if (value === undefined) this.problems.push('null_value');
    else if (!['string', 'number', 'boolean'].includes(typeof value)) this.problems.push('value');
  }

  private order(json: unknown): OrderPart[] {
    const object = this.object(json, ['column', 'direction', 'nulls']);
    if (object === undefined) return [];
    const nulls = object.nulls == null ? null : this.word(object.nulls, ['first', 'last']);
    const direction = this.word(object.direction ?? 'ASC', ['ASC', 'DESC']);
    return [{ column: this.name(object.column), direction, nulls }];
  }

  private object(json: unknown, keys: readonly string[]): Json | undefined {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      this.problems.push('type');
      return undefined;
    }
    if (Object.keys(json).some((key) => !keys.includes(key))) this.problems.push('unknown_key');
    return json as Json;
  }

  private list(json: unknown): unknown[] {
    if (json == null) return [];
    if (Array.isArray(json)) return json;
    this.problems.push('type');
    return [];
  }

  private name(json: unknown): string {
    if (json == null) this.problems.push('required');
    else if (typeof json !== 'string') this.problems.push('type');
    else if (json === '') this.problems.push('empty');
    return String(json);
  }

  /** One of the words, whatever its case. */
  private word<Word extends string>(json: unknown, words: [Word, ...Word[]] | Word[]): Word {
    const word = words.find((one) => one.toLowerCase() === String(json).toLowerCase());
    if (word === undefined) this.problems.push(json == null ? 'required' : 'enum');
    return word ?? (words[0] as Word);
  }

  private count(json: unknown): number {
    if (json == null) return 0;
    const isCount = typeof json === 'number' && Number.isInteger(json) && json >= 0;
    if (!isCount) this.problems.push('type');
    return isCount ? json : 0;
  }
}
