import { describe, expect, it } from 'vitest';
import { checkSealed } from '../../src/aql/check-sealed.js';
import type { Expr } from '../../src/aql/expression.js';
import type { Plan } from '../../src/aql/plan.js';

const sealed = (domain = 'd'): Expr => ({
  node: 'column',
  source: 't1',
  name: 'mail',
  kind: 'text',
  type: 'text',
  sealed: domain,
});
const plain: Expr = { node: 'column', source: 't1', name: 'id', kind: 'text', type: 'text' };
const key = (operand: Expr): Expr => ({ node: 'key', kind: 'text', operand });
const param: Expr = { node: 'param', value: 'x', kind: 'text' };
const compare = (op: 'eq' | 'neq' | 'lt', left: Expr, right: Expr): Expr => ({
  node: 'compare',
  op,
  kind: 'text',
  left,
  right,
});
const count = (fn: 'count' | 'count_distinct' | 'min' | 'max', operand: Expr): Expr => ({
  node: 'aggregate',
  fn,
  operand,
  kind: 'text',
  ordered: false,
});
const call = (fn: 'sha256_hex' | 'concat' | 'to_text' | 'left', ...args: Expr[]): Expr => ({
  node: 'call',
  fn,
  args,
});

const column = { name: 'c', type: 'text' };
const token = { domain: 'd', type: 'text' };
const source = { alias: 't1', table: { schema: '', name: 't' }, derived: null, rawAlias: 'raw' };

function planWith(part: Partial<Plan>): Plan {
  return {
    from: source,
    joins: [],
    where: null,
    outputs: [{ column, expr: plain }],
    groupBy: [],
    having: null,
    orderBy: [],
    limit: 1,
    offset: 0,
    tables: [],
    ...part,
  };
}

const where = (expr: Expr): Plan => planWith({ where: expr });
const output = (expr: Expr, sealedAs?: typeof token): Plan =>
  planWith({ outputs: [{ column, expr, ...(sealedAs && { token: sealedAs }) }] });
const order = (expr: Expr): Plan =>
  planWith({ orderBy: [{ expr, direction: 'ASC', nulls: 'last' }] });

describe('a plan that uses the raw value of a token', () => {
  const allowed: [string, Plan][] = [
    ['hands it out under its token', output(sealed(), token)],
    ['hands a group out under its token', output(key(sealed()), token)],
    ['projects it', planWith({ from: { ...source, derived: [{ name: 'm', expr: sealed() }] } })],
    ['groups by it', planWith({ groupBy: [key(sealed())] })],
    ['compares it with a token', where(compare('eq', sealed(), param))],
    ['compares it with another of its domain', where(compare('neq', sealed(), sealed()))],
    ['looks for NULL', where({ node: 'is_null', operand: sealed(), negated: false })],
    [
      'looks for tokens',
      where({ node: 'in', kind: 'text', operand: sealed(), values: [param], negated: true }),
    ],
    ['counts', output(count('count', sealed()))],
    ['counts distinct ones', output(count('count_distinct', key(sealed())))],
    [
      'orders by its salted hash',
      order(key(call('sha256_hex', call('concat', param, call('to_text', sealed()))))),
    ],
  ];
  it.each(allowed)('%s', (_name, plan) => {
    expect(() => checkSealed(plan)).not.toThrow();
  });

  const refused: [string, Plan][] = [
    ['hands it out as it is', output(sealed())],
    ['hands it out under the token of another domain', output(sealed(), { ...token, domain: 'e' })],
    ['hands out a part of it', output(call('left', sealed(), param), token)],
    ['hands out the least', output(count('min', key(sealed())), token)],
    ['hands out its plain hash', output(call('sha256_hex', call('to_text', sealed())))],
    [
      'projects a part of it',
      planWith({ from: { ...source, derived: [{ name: 'm', expr: call('left', sealed()) }] } }),
    ],
    ['groups by a part of it', planWith({ groupBy: [call('left', sealed(), param)] })],
    ['compares ranges', where(compare('lt', sealed(), param))],
    ['compares it with a readable column', where(compare('eq', sealed(), plain))],
    ['is compared with by a readable column', where(compare('eq', plain, sealed()))],
    ['compares it with another domain', where(compare('eq', sealed(), sealed('e')))],
    [
      'joins on a range',
      planWith({ joins: [{ type: 'INNER', source, on: compare('lt', sealed(), sealed()) }] }),
    ],
    [
      'looks for patterns',
      where({
        node: 'not',
        item: { node: 'like', operand: sealed(), pattern: param, negated: true },
      }),
    ],
    [
      'looks for it among readable values',
      where({ node: 'in', kind: 'text', operand: sealed(), values: [plain], negated: false }),
    ],
    ['orders by it', order(key(sealed()))],
    ['orders by its hash without a salt', order(call('sha256_hex', call('to_text', sealed())))],
    ['has a greatest one', planWith({ having: compare('eq', count('max', key(sealed())), param) })],
  ];
  it.each(refused)('is never run where it %s', (_name, plan) => {
    expect(() => checkSealed(plan)).toThrow(expect.objectContaining({ code: 'internal' }));
  });
});
