import { VkitError } from '../errors/index.js';
import type { Expr } from './expression.js';
import type { Plan, PlanSource } from './plan.js';

/**
 * Throws `internal` where a plan would do more with the raw value of a tokenized field than tokens allow: hand it out
 * under no token, order by it, give it to a function, or compare it with anything but a value of its own domain. The
 * parts of the plan see to that each by itself; this looks at what they made together.
 */
export function checkSealed(plan: Plan): void {
  checkDerived(plan.from);
  for (const { source, on } of plan.joins) {
    checkDerived(source);
    check(on);
  }
  for (const expr of plan.groupBy) checkUnlessSealed(expr);
  for (const { expr, token } of plan.outputs) {
    if (expr.node === 'column' && expr.sealed === token?.domain) continue;
    if (domainOf(expr) !== token?.domain) throw exposed();
    checkUnlessSealed(expr);
  }
  if (plan.where !== null) check(plan.where);
  if (plan.having !== null) check(plan.having);
  for (const { expr } of plan.orderBy) check(expr);
}

function checkDerived({ derived }: PlanSource): void {
  for (const { expr } of derived ?? []) checkUnlessSealed(expr);
}

function checkUnlessSealed(expr: Expr): void {
  if (domainOf(expr) === undefined) check(expr);
}

/** The domain of an expression that is a sealed column, as it stands or as a key. */
function domainOf(expr: Expr | undefined): string | undefined {
  if (expr?.node === 'column') return expr.sealed;
  if (expr?.node === 'key') return domainOf(expr.operand);
  return expr?.node === 'call' && expr.fn === 'canonical_numeric'
    ? domainOf(expr.args[0])
    : undefined;
}

function check(expr: Expr): void {
  if (expr.node === 'column') {
    if (expr.sealed !== undefined) throw exposed();
    return;
  }
  if (!mayHoldSealed(expr)) for (const part of partsOf(expr)) check(part);
}

/** Whether an expression asks of sealed columns no more than tokens tell. */
function mayHoldSealed(expr: Expr): boolean {
  switch (expr.node) {
    case 'compare': {
      const domain = domainOf(expr.left);
      const isEquality = expr.op === 'eq' || expr.op === 'neq';
      if (domain === undefined || !isEquality) return false;
      return isOpened(expr.right) || domainOf(expr.right) === domain;
    }
    case 'in':
      return domainOf(expr.operand) !== undefined && expr.values.every(isOpened);
    case 'is_null':
      return domainOf(expr.operand) !== undefined;
    case 'aggregate': {
      const counts = expr.fn === 'count' || expr.fn === 'count_distinct';
      return counts && expr.operand !== null && domainOf(expr.operand) !== undefined;
    }
    case 'call':
      return expr.fn === 'sha256_hex' && isSalted(expr.args[0]);
    default:
      return false;
  }
}

function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.node) {
    case 'call':
      return expr.args;
    case 'case':
      return [...expr.branches.flatMap(({ when, result }) => [when, result]), expr.otherwise];
    case 'compare':
      return [expr.left, expr.right];
    case 'like':
      return [expr.operand, expr.pattern];
    case 'in':
      return [expr.operand, ...expr.values];
    case 'and':
    case 'or':
      return expr.items;
    case 'not':
      return [expr.item];
    case 'is_null':
    case 'key':
      return [expr.operand];
    case 'aggregate':
      return expr.operand === null ? [] : [expr.operand];
    default:
      return [];
  }
}

/** A token's value, or what stands for it in a plan that is only checked. */
function isOpened(expr: Expr): boolean {
  return expr.node === 'param' || expr.node === 'unopened';
}

/** `concat(salt, …)`, as tokens are ordered by. */
function isSalted(expr: Expr | undefined): boolean {
  const salt = expr?.node === 'call' && expr.fn === 'concat' ? expr.args[0] : undefined;
  return salt !== undefined && isOpened(salt);
}

function exposed(): VkitError {
  return new VkitError('internal', 'A plan would have shown what a token stands for.');
}
