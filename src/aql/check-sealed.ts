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
  if (derived !== null) for (const { expr } of derived) checkUnlessSealed(expr);
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
  if (!mayHoldSealed(expr)) checkParts(expr);
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

function checkParts(expr: Expr): void {
  switch (expr.node) {
    case 'call':
      checkAll(expr.args);
      break;
    case 'case':
      for (const { when, result } of expr.branches) {
        check(when);
        check(result);
      }
      check(expr.otherwise);
      break;
    case 'compare':
      check(expr.left);
      check(expr.right);
      break;
    case 'like':
      check(expr.operand);
      check(expr.pattern);
      break;
    case 'in':
      check(expr.operand);
      checkAll(expr.values);
      break;
    case 'and':
    case 'or':
      checkAll(expr.items);
      break;
    case 'not':
      check(expr.item);
      break;
    case 'is_null':
    case 'key':
      check(expr.operand);
      break;
    case 'aggregate':
      if (expr.operand !== null) check(expr.operand);
      break;
    default:
    // A constant or a value has no parts.
  }
}

function checkAll(parts: readonly Expr[]): void {
  for (const part of parts) check(part);
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
