import type { Expr } from '../../../src/aql/expression.js';
import type { Plan, PlanSource } from '../../../src/aql/plan.js';
import { kindOfType } from '../../../src/schema/field-type.js';
import { onVisibility, unsalted, withParts } from '../../aql/differential/faults.js';
import type { Fault } from '../../aql/differential/real-answer.js';

type Method = 'full' | 'nullify' | 'partial' | 'hash';
type Column = Extract<Expr, { node: 'column' }>;

/** What the raw column of a masked one is called in a derived table of a mutant. */
const leaked = (name: string) => `leaked ${name}`;

/** A column of the table itself, as a text: that is what most masks make of it. */
function rawText(source: PlanSource, name: string, plan: Plan): Expr {
  const type = typeIn(plan, source, name);
  const column: Expr = {
    node: 'column',
    source: source.rawAlias,
    name,
    kind: kindOfType(type),
    type,
  };
  return { node: 'call', fn: 'to_text', args: [column] };
}

function typeIn(plan: Plan, { table }: PlanSource, name: string): string {
  const expected = plan.tables.find((one) => one.table.name === table.name);
  return expected?.columns.find((column) => column.name === name)?.type ?? 'other';
}

/** Which mask made the expression inside a derived table. */
function methodOfExpr(expr: Expr): Method | undefined {
  if (expr.node === 'text') return 'full';
  if (expr.node === 'null') return 'nullify';
  if (expr.node === 'case') return 'partial';
  return expr.node === 'call' && expr.fn === 'sha256_hex' ? 'hash' : undefined;
}

const sourcesOf = (plan: Plan): PlanSource[] => [
  plan.from,
  ...plan.joins.map((join) => join.source),
];

/** The plan with the raw columns of what a mask hides beside their masks in every derived table. */
function withLeaks(plan: Plan, method: Method): { plan: Plan; isLeaked(column: Column): boolean } {
  const leaks = new Set<string>();
  const leaking = (source: PlanSource): PlanSource => {
    const masked = (source.derived ?? []).filter(({ expr }) => methodOfExpr(expr) === method);
    for (const { name } of masked) leaks.add(`${source.alias}.${name}`);
    const raw = masked.map(({ name }) => ({
      name: leaked(name),
      expr: rawText(source, name, plan),
    }));
    return { ...source, derived: source.derived && [...source.derived, ...raw] };
  };
  const joins = plan.joins.map((join) => ({ ...join, source: leaking(join.source) }));
  return {
    plan: { ...plan, from: leaking(plan.from), joins },
    isLeaked: ({ source, name }) => leaks.has(`${source}.${name}`),
  };
}

/** A clause of the plan with the raw columns in the place of those behind a mask. */
function raw(method: Method, clause: (plan: Plan, change: (expr: Expr) => Expr) => Plan): Fault {
  return {
    plan(plan) {
      const { plan: leaking, isLeaked } = withLeaks(plan, method);
      const change = (expr: Expr): Expr =>
        expr.node === 'column' && isLeaked(expr)
          ? { ...expr, name: leaked(expr.name), kind: 'text', type: 'text' }
          : withParts(expr, change);
      return clause(leaking, change);
    },
  };
}

const CLAUSES = {
  columns: (plan, change) => ({
    ...plan,
    outputs: plan.outputs.map((one) =>
      one.expr.node === 'aggregate' ? one : { ...one, expr: change(one.expr) },
    ),
    groupBy: plan.groupBy.map(change),
    orderBy: plan.orderBy.map((one) =>
      plan.groupBy.length > 0 ? { ...one, expr: change(one.expr) } : one,
    ),
  }),
  filter: (plan, change) => ({ ...plan, where: plan.where && change(plan.where) }),
  join: (plan, change) => ({
    ...plan,
    joins: plan.joins.map((join) => ({ ...join, on: change(join.on) })),
  }),
  aggregate: (plan, change) => ({
    ...plan,
    outputs: plan.outputs.map((one) =>
      one.expr.node === 'aggregate' ? { ...one, expr: change(one.expr) } : one,
    ),
  }),
  group_by: (plan, change) => ({ ...plan, groupBy: plan.groupBy.map(change) }),
  having: (plan, change) => ({ ...plan, having: plan.having && change(plan.having) }),
  order_by: (plan, change) => ({
    ...plan,
    orderBy: plan.orderBy.map((one) => ({ ...one, expr: change(one.expr) })),
  }),
} satisfies Record<string, (plan: Plan, change: (expr: Expr) => Expr) => Plan>;

const METHODS: readonly Method[] = ['full', 'nullify', 'partial', 'hash'];
/** A join on a constant is refused before there is a plan; hashes are equal where values are. */
const IMPOSSIBLE = ['join / full', 'join / nullify', 'join / hash', 'group_by / hash'];

const ofClauses = Object.entries(CLAUSES).flatMap(([clause, change]) =>
  METHODS.flatMap((method): [string, Fault][] =>
    IMPOSSIBLE.includes(`${clause} / ${method}`)
      ? []
      : [[`${clause}: what ${method} hides is raw`, raw(method, change)]],
  ),
);

/** The rows as the database reads them: what was asked for is in order, and nothing more. */
const unordered = (plan: Plan): Plan => ({ ...plan, orderBy: [] });

/** Puts the rows in the order of a column that the requester does not see, before all that makes it total. */
function orderedByHidden(plan: Plan, world: { isHidden(plan: Plan, name: string): boolean }): Plan {
  const table = plan.tables.find((one) => one.table.name === plan.from.table.name);
  const hidden = table?.columns.find(({ name }) => world.isHidden(plan, name));
  if (hidden === undefined || plan.from.derived === null || plan.groupBy.length > 0) return plan;
  if (plan.outputs.some(({ expr }) => expr.node === 'aggregate')) return plan;
  const derived = { name: leaked('x'), expr: rawText(plan.from, hidden.name, plan) };
  const expr: Expr = {
    node: 'column',
    source: plan.from.alias,
    name: leaked('x'),
    kind: 'text',
    type: 'text',
  };
  return {
    ...plan,
    from: { ...plan.from, derived: [...plan.from.derived, derived] },
    orderBy: [{ expr, direction: 'ASC', nulls: 'last' }, ...plan.orderBy],
  };
}

const usesView = (plan: Plan) => plan.tables.some(({ kind }) => kind === 'view');

/** Mutants of vkit, one per clause and mask, each of which the twins must be told apart by. */
export const MUTANTS: Readonly<Record<string, Fault>> = {
  ...Object.fromEntries(ofClauses),

  'order: none that is total': {
    plan: (plan) => (plan.groupBy.length > 0 ? plan : unordered(plan)),
  },

  'order: groups come as they are found': {
    plan: (plan) => (plan.groupBy.length > 0 ? unordered(plan) : plan),
  },

  'order: none of the rows of a view': {
    plan: (plan) =>
      usesView(plan) && sourcesOf(plan).every(({ derived }) => derived === null)
        ? unordered(plan)
        : plan,
  },

  'order: by a column that is not selected': {
    plan: (plan) =>
      orderedByHidden(plan, {
        isHidden: ({ from }, name) => {
          const seen = from.derived?.find((one) => one.name === name);
          return seen === undefined || methodOfExpr(seen.expr) !== undefined;
        },
      }),
  },

  'order: tokens by what they stand for': {
    plan: (plan) => ({
      ...plan,
      orderBy: plan.orderBy.map((one) => ({ ...one, expr: unsalted(one.expr) })),
    }),
  },

  'tokenize: the value itself leaves': {
    plan: (plan) => ({
      ...plan,
      outputs: plan.outputs.map(({ column, expr }) => ({ column, expr })),
    }),
  },

  'tokenize: the greatest value counts': {
    plan: (plan) => ({
      ...plan,
      outputs: plan.outputs.map((one) =>
        one.expr.node === 'aggregate' && one.expr.fn === 'count' && sealed(one.expr.operand)
          ? { ...one, expr: { ...one.expr, fn: 'max' } }
          : one,
      ),
    }),
  },

  'partial: one character more': onVisibility((seen) =>
    seen.state === 'masked' && seen.mask.method === 'partial'
      ? { state: 'masked', mask: { ...seen.mask, prefix: seen.mask.prefix + 1 } }
      : seen,
  ),

  'partial: one character more at the end': onVisibility((seen) =>
    seen.state === 'masked' && seen.mask.method === 'partial'
      ? { state: 'masked', mask: { ...seen.mask, suffix: seen.mask.suffix + 1 } }
      : seen,
  ),

  'partial: another least length': onVisibility((seen) =>
    seen.state === 'masked' && seen.mask.method === 'partial'
      ? { state: 'masked', mask: { ...seen.mask, minLength: seen.mask.minLength + 2 } }
      : seen,
  ),

  'full: shows NULL': showsNull('full'),
  'nullify: is not NULL where there is a value': showsNull('nullify'),

  'hash: the value itself leaves': {
    dialect: ({ call }) => ({
      call: (fn, args) => (fn === 'sha256_hex' ? `${args[0]}` : call(fn, args)),
    }),
  },

  'hidden: readable': onVisibility((seen) => (seen.state === 'hidden' ? { state: 'raw' } : seen)),
};

function sealed(operand: Expr | null): boolean {
  return operand?.node === 'column' && operand.sealed !== undefined;
}

/** A constant where there is a value, and NULL where there is none. */
function showsNull(method: 'full' | 'nullify'): Fault {
  return {
    plan(plan) {
      const masked = (source: PlanSource): PlanSource => ({
        ...source,
        derived:
          source.derived?.map(({ name, expr }) => {
            if (methodOfExpr(expr) !== method) return { name, expr };
            const when: Expr = {
              node: 'is_null',
              operand: rawText(source, name, plan),
              negated: false,
            };
            const branches = [{ when, result: { node: 'null', type: 'text' } satisfies Expr }];
            const otherwise: Expr = { node: 'text', value: '1' };
            return { name, expr: { node: 'case', branches, otherwise } satisfies Expr };
          }) ?? null,
      });
      const joins = plan.joins.map((join) => ({ ...join, source: masked(join.source) }));
      return { ...plan, from: masked(plan.from), joins };
    },
  };
}
