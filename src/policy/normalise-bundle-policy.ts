import { ACTIONS, type Policy } from './model.js';
import { checkPolicy, type ParsePolicyOptions, withoutSymbols } from './parse-policy.js';
import type { FormProblem } from './policy-form.js';

/** Keys of a bundle's policy, and where the file's form has them. */
const MOVED: readonly { bundle: string; form: string }[] = [
  { bundle: '/reason', form: '/action/reason' },
  { bundle: '/max_rows', form: '/action/max_rows' },
  { bundle: '/auto_revoke', form: '/action/auto_revoke' },
  { bundle: '/ttl_seconds', form: '/action/ttl' },
  { bundle: '/masking/except', form: '/action/mask_except' },
  { bundle: '/approval/approver_role', form: '/action/approver_role' },
  { bundle: '/approval/approvals', form: '/action/approvals' },
  { bundle: '/approval/metadata_required', form: '/action/approval_metadata_required' },
  { bundle: '/approval/lifts_mask', form: '/action/lifts_mask' },
];

/**
 * A policy of a bundle, also one that another tool compiled: the action as a word or as a map, `ttl_seconds` as `"4h"`,
 * `when`, `priority` or the reason missing, `null` for what is absent. Keys nobody knows are problems, since they may
 * be restrictions; an approval beside another action is none, as in a file. The pointers of the problems are those of the value.
 */
export function normaliseBundlePolicy(
  value: unknown,
  options: ParsePolicyOptions = {},
): { policy: Policy | null; problems: readonly FormProblem[] } {
  const plain = withoutNulls(withoutSymbols(value));
  if (!isRecord(plain)) {
    const message = 'A policy must be an object.';
    return { policy: null, problems: [{ pointer: '', code: 'bad_type', message }] };
  }
  const { form, silent } = formOf(plain);
  const { policy, problems } = checkPolicy(form, options);
  if (policy === null) {
    const moved = problems.map((problem) => ({ ...problem, pointer: back(problem.pointer) }));
    return { policy, problems: moved };
  }
  if (!silent) return { policy, problems };
  const { reason: _reason, ...rest } = policy;
  return { policy: rest, problems };
}

/** The value in the form of a file; `silent` where it lacks the reason that a file must give. */
function formOf(value: Record<string, unknown>): {
  form: Record<string, unknown>;
  silent: boolean;
} {
  const { action, reason, ttl_seconds, max_rows, auto_revoke, masking, approval, ...rest } = value;
  const given = isRecord(action) ? action : wordAsMap(action);
  const { except, ...masks } = isRecord(masking) ? masking : {};
  const { metadata_required, approver_role, approvals, lifts_mask, ...unknown } = isRecord(approval)
    ? approval
    : {};
  const moved = {
    reason,
    max_rows,
    auto_revoke,
    ttl: ttl_seconds,
    mask_except: except,
    approval_metadata_required: metadata_required,
    approver_role,
    approvals,
    lifts_mask,
  };
  const merged: unknown = isRecord(given)
    ? {
        ...given,
        ...Object.fromEntries(Object.entries(moved).filter(([, one]) => one !== undefined)),
      }
    : given;
  const silent = isRecord(merged) && merged.reason === undefined;
  const hasMasks = Object.keys(masks).length > 0;
  return {
    form: {
      ...rest,
      action: isRecord(merged) && silent ? { ...merged, reason: '-' } : merged,
      ...(isRecord(masking)
        ? hasMasks && { masking: masks }
        : masking !== undefined && { masking }),
      ...(approval !== undefined && !isRecord(approval) && { approval }),
      // Under a name that no form has, so that each is a problem and none stands for a key of the action.
      ...Object.fromEntries(
        Object.entries(unknown).map(([key, value]) => [`approval.${key}`, value]),
      ),
    },
    silent,
  };
}

function wordAsMap(action: unknown): unknown {
  return ACTIONS.some((known) => known === action) ? { [String(action)]: true } : action;
}

function back(pointer: string): string {
  if (pointer.startsWith('/approval.')) return pointer.replace('.', '/');
  const move = MOVED.find(({ form }) => pointer === form || pointer.startsWith(`${form}/`));
  return move ? move.bundle + pointer.slice(move.form.length) : pointer;
}

const CONDITIONS: ReadonlySet<string> = new Set(['when', 'context']);

/** `null` is how other tools write what is absent. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== null)
      // A condition on nothing is not one that is absent: who left it out may have meant a restriction.
      .map(([key, entry]) => [key, CONDITIONS.has(key) ? entry : withoutNulls(entry)]),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
