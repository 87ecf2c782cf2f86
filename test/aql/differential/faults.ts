import type { Expr } from '../../../src/aql/expression.js';
import type { AggregateFunction } from '../../../src/aql/model.js';
import type { Plan } from '../../../src/aql/plan.js';
import type { FieldVisibility } from '../../../src/aql/visibility.js';
import type { Fault } from './real-answer.js';

/** The plan with every expression of it changed, from the inside out. */
function withExpressions(plan: Plan, change: (expr: Expr) => Expr): Plan {
  const deep = (expr: Expr): Expr => change(withParts(expr, deep));
  const source = (one: Plan['from']): Plan['from'] => ({
    ...one,
    derived: one.derived?.map(({ name, expr }) => ({ name, expr: deep(expr) })) ?? null,
  });
  return {
    ...plan,
    from: source(plan.from),
    joins: plan.joins.map((join) => ({ ...join, source: source(join.source), on: deep(join.on) })),
    where: plan.where && deep(plan.where),
    outputs: plan.outputs.map((one) => ({ ...one, expr: deep(one.expr) })),
    groupBy: plan.groupBy.map(deep),
    having: plan.having && deep(plan.having),
    orderBy: plan.orderBy.map((one) => ({ ...one, expr: deep(one.expr) })),
  };
}

/** An expression with each of its parts changed. */
export function withParts(expr: Expr, change: (expr: Expr) => Expr): Expr {
  switch (expr.node) {
    case 'call':
      return { ...expr, args: expr.args.map(change) };
    case 'case': {
      const branches = expr.branches.map(({ when, result }) => ({
        when: change(when),
        result: change(result),
      }));
      return { ...expr, branches, otherwise: change(expr.otherwise) };
    }
    case 'compare':
      return { ...expr, left: change(expr.left), right: change(expr.right) };
    case 'like':
      return { ...expr, operand: change(expr.operand), pattern: change(expr.pattern) };
    case 'in':
      return { ...expr, operand: change(expr.operand), values: expr.values.map(change) };
    case 'is_null':
    case 'key':
      return { ...expr, operand: change(expr.operand) };
    case 'and':
    case 'or':
      return { ...expr, items: expr.items.map(change) };
    case 'not':
      return { ...expr, item: change(expr.item) };
    case 'aggregate':
      return { ...expr, operand: expr.operand && change(expr.operand) };
    default:
      return expr;
  }
}

const onExpressions = (change: (expr: Expr) => Expr): Fault => ({
  plan: (plan) => withExpressions(plan, change),
});

const onHaving = (change: (expr: Expr) => Expr): Fault => ({
  plan: (plan) => ({ ...plan, having: withExpressions(plan, change).having }),
});

/** A fault in how fields are seen. */
export const onVisibility = (change: (seen: FieldVisibility) => FieldVisibility): Fault => ({
  world: (world) => ({
    ...world,
    visibility: (dataset, field) => change(world.visibility(dataset, field)),
  }),
});

/** The constant of a mask, but for NULL. */
function withNull({ name, expr }: { name: string; expr: Expr }, source: string) {
  if (expr.node !== 'text') return { name, expr };
  const column: Expr = { node: 'column', source, name, kind: 'other', type: 'other' };
  const when: Expr = { node: 'is_null', operand: column, negated: false };
  const branches = [{ when, result: { node: 'null', type: 'text' } satisfies Expr }];
  return { name, expr: { node: 'case', branches, otherwise: expr } satisfies Expr };
}

const OTHER_AGGREGATE: Partial<Record<AggregateFunction, AggregateFunction>> = {
  max: 'min',
  min: 'max',
  sum: 'avg',
  avg: 'sum',
};

/** The value in the place of its salted hash. */
export const unsalted = (expr: Expr): Expr => {
  if (expr.node === 'call' && expr.fn === 'concat') return expr.args[1] ?? expr;
  if (expr.node === 'call' && expr.fn === 'sha256_hex') return unsalted(expr.args[0] ?? expr);
  return withParts(expr, unsalted);
};

const isText = (kind: string) => kind === 'text';

/** Deliberate faults on the way to SQLite, each of which the comparison with the reference must find. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'OR is AND': onExpressions((expr) => (expr.node === 'or' ? { ...expr, node: 'and' } : expr)),

  'NOT of unknown is true': onExpressions((expr) => {
    if (expr.node !== 'not') return expr;
    const isTrue: Expr = {
      node: 'case',
      branches: [{ when: expr.item, result: { node: 'boolean', value: true } }],
      otherwise: { node: 'boolean', value: false },
    };
    return { ...expr, item: isTrue };
  }),

  'NULL is unequal to everything': onExpressions((expr) =>
    expr.node === 'compare' && expr.op === 'neq'
      ? { node: 'or', items: [expr, { node: 'is_null', operand: expr.left, negated: false }] }
      : expr,
  ),

  'NULLs stand at the other end': {
    dialect: ({ orderBy }) => ({
      orderBy: (sql, direction, nulls, isNullable) =>
        orderBy(sql, direction, nulls === 'first' ? 'last' : 'first', isNullable),
    }),
  },

  'a descending order is ascending': {
    dialect: ({ orderBy }) => ({
      orderBy: (sql, _, nulls, isNullable) => orderBy(sql, 'ASC', nulls, isNullable),
    }),
  },

  'the offset is one too many': {
    dialect: (dialect) => ({
      limit: (limit, offset) => dialect.limit(limit, offset > 0 ? offset + 1 : 0),
    }),
  },

  'the limit is one too few': {
    dialect: (dialect) => ({
      limit: (limit, offset) => dialect.limit(Math.max(1, limit - 1), offset),
    }),
  },

  'having looks at another aggregate': onHaving((expr) =>
    expr.node === 'aggregate' ? { ...expr, fn: OTHER_AGGREGATE[expr.fn] ?? expr.fn } : expr,
  ),

  'having counts rows in place of values': onHaving((expr) =>
    expr.node === 'aggregate' && expr.fn === 'count' ? { ...expr, operand: null } : expr,
  ),

  'having is left out': { plan: (plan) => ({ ...plan, having: null }) },

  'LIKE knows no escape': {
    dialect: ({ like }) => ({
      like: (operand, pattern, negated) =>
        like(operand, `replace(${pattern}, '\\', '\\\\')`, negated),
    }),
  },

  'LIKE ignores case': {
    dialect: ({ like }) => ({
      like: (operand, pattern, negated) => like(`lower(${operand})`, `lower(${pattern})`, negated),
    }),
  },

  'count_distinct counts NULL': {
    dialect: ({ aggregate }) => ({
      aggregate: (fn, operand, kind, ordered) =>
        fn === 'count_distinct'
          ? `(count(DISTINCT ${operand}) + max(${operand} IS NULL))`
          : aggregate(fn, operand, kind, ordered),
    }),
  },

  'count counts NULL': {
    dialect: ({ aggregate }) => ({
      aggregate: (fn, operand, kind, ordered) =>
        aggregate(fn, fn === 'count' ? null : operand, kind, ordered),
    }),
  },

  'text is equal whatever its case': {
    dialect: ({ compare }) => ({
      compare: (op, kind, left, right) =>
        isText(kind)
          ? compare(op, kind, `lower(${left})`, `lower(${right})`)
          : compare(op, kind, left, right),
    }),
  },

  'trailing spaces are ignored': {
    dialect: ({ compare, inList }) => ({
      compare: (op, kind, left, right) =>
        isText(kind)
          ? compare(op, kind, `rtrim(${left})`, `rtrim(${right})`)
          : compare(op, kind, left, right),
      inList: (kind, operand, values, negated) =>
        isText(kind)
          ? inList(
              kind,
              `rtrim(${operand})`,
              values.map((one) => `rtrim(${one})`),
              negated,
            )
          : inList(kind, operand, values, negated),
    }),
  },

  'texts group whatever their case': {
    dialect: ({ key }) => ({
      key: (sql, kind) => (isText(kind) ? `${sql} COLLATE NOCASE` : key(sql, kind)),
    }),
  },

  'moments group and sort as they are written': {
    dialect: ({ key }) => ({
      key: (sql, kind) => (kind.startsWith('timestamp') ? sql : key(sql, kind)),
    }),
  },

  'BETWEEN leaves its upper end out': onExpressions((expr) =>
    expr.node === 'compare' && expr.op === 'lte' ? { ...expr, op: 'lt' } : expr,
  ),

  'NOT IN of an empty list is false': onExpressions((expr) =>
    expr.node === 'boolean' && expr.value ? { ...expr, value: false } : expr,
  ),

  'a LEFT JOIN is an INNER one': {
    plan: (plan) => ({
      ...plan,
      joins: plan.joins.map((join) => (join.type === 'LEFT' ? { ...join, type: 'INNER' } : join)),
    }),
  },

  'only the first pair of a join counts': {
    plan: (plan) => ({
      ...plan,
      joins: plan.joins.map((join) => {
        const [first] = join.on.node === 'and' ? join.on.items : [];
        return first === undefined ? join : { ...join, on: first };
      }),
    }),
  },

  'an average of whole numbers is a whole number': {
    dialect: ({ aggregate }) => ({
      aggregate: (fn, operand, kind, ordered) =>
        fn === 'avg' && kind === 'integer'
          ? `(sum(${operand}) / count(${operand}))`
          : aggregate(fn, operand, kind, ordered),
    }),
  },

  'sums are floats': {
    dialect: ({ aggregate }) => ({
      aggregate: (fn, operand, kind, ordered) =>
        fn === 'sum' ? `total(${operand})` : aggregate(fn, operand, kind, ordered),
    }),
  },

  'the order is not made total': {
    plan: (plan) => ({ ...plan, orderBy: plan.orderBy.slice(0, 1) }),
  },

  'full does not hide NULL': {
    plan: (plan) => {
      const source = (one: Plan['from']): Plan['from'] => ({
        ...one,
        derived: one.derived?.map((field) => withNull(field, one.rawAlias)) ?? null,
      });
      const joins = plan.joins.map((join) => ({ ...join, source: source(join.source) }));
      return { ...plan, from: source(plan.from), joins };
    },
  },

  'partial shows one character more': onVisibility((seen) =>
    seen.state === 'masked' && seen.mask.method === 'partial'
      ? { state: 'masked', mask: { ...seen.mask, prefix: seen.mask.prefix + 1 } }
      : seen,
  ),

  'partial shows what is too short': onVisibility((seen) =>
    seen.state === 'masked' && seen.mask.method === 'partial'
      ? { state: 'masked', mask: { ...seen.mask, minLength: 0 } }
      : seen,
  ),

  'a hash is the value itself': {
    dialect: ({ call }) => ({
      call: (fn, args) => (fn === 'sha256_hex' ? `${args[0]}` : call(fn, args)),
    }),
  },

  'a hash has no canonical number': {
    dialect: ({ call }) => ({
      call: (fn, args) => (fn === 'decimal_text' ? `printf('%.2f', ${args[0]})` : call(fn, args)),
    }),
  },

  'tokens are ordered by what they stand for': {
    plan: (plan) => {
      const orderBy = plan.orderBy.map((one) => ({ ...one, expr: unsalted(one.expr) }));
      return { ...plan, orderBy };
    },
  },

  'a token is the value itself': {
    plan: (plan) => ({
      ...plan,
      outputs: plan.outputs.map(({ column, expr }) => ({ column, expr })),
    }),
  },

  'nullify shows the value': onVisibility((seen) =>
    seen.state === 'masked' && seen.mask.method === 'nullify' ? { state: 'raw' } : seen,
  ),

  'max_rows is not counted from the start': {
    world: (world) => ({ ...world, maxRows: world.maxRows === null ? null : world.maxRows + 1 }),
  },

  'integers lose their precision': {
    rows: (rows) =>
      rows.map((row) =>
        row.map((cell) => cell.replace(/^"(-?\d{16,})"$/, (_, digits) => String(Number(digits)))),
      ),
  },
};
