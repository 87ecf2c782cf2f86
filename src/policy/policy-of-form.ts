import { parseDuration } from '../util/duration.js';
import { actionsOf, checkAction } from './check-action.js';
import { checkConditions } from './check-conditions.js';
import { checkMasks, maskMethodOf } from './check-masks.js';
import type { Action, Conditions, MaskSpec, Policy, PolicyDraft } from './model.js';
import type {
  ActionForm,
  ConditionsForm,
  FormProblem,
  MaskForm,
  PolicyForm,
  ReadableForm,
} from './policy-form.js';

/** What a form means. */
export interface PolicyOfForm {
  /** With short forms resolved; `null` where anything is wrong. */
  policy: Policy | null;
  /** What of the policy can be read, whether it can be used or not. */
  draft: PolicyDraft;
  /** What is wrong beyond the shape. */
  problems: FormProblem[];
  warnings: FormProblem[];
}

/** The policy that a form means, and all that is wrong with it; `shape` is what its JSON Schema had against the rest. */
export function policyOfForm(
  form: ReadableForm,
  clearances: readonly string[],
  shape: readonly FormProblem[],
): PolicyOfForm {
  const broken = new Set(shape.map(({ pointer }) => pointer));
  const isBroken = (pointer: string) =>
    broken.has(pointer) || [...broken].some((one) => one.startsWith(`${pointer}/`));
  const action = checkAction(form, isBroken);
  const problems = [
    ...action.problems,
    ...checkMasks(form, isBroken),
    ...collisions(form),
    ...conditionParts(form).flatMap(({ conditions, pointer }) =>
      checkConditions(conditions, pointer, clearances, isBroken),
    ),
  ];
  const { warnings } = action;
  const draft = draftOf(form);
  const chosen = actionsOf(form.action)[0];
  if (shape.length > 0 || problems.length > 0 || chosen === undefined || !isWhole(form)) {
    return { policy: null, draft, problems, warnings };
  }
  return { policy: build(form, chosen), draft, problems, warnings };
}

function isWhole(form: ReadableForm): form is PolicyForm {
  return form.id !== undefined && form.action !== undefined;
}

/** What of it names something, for the checks that know the project. */
function draftOf(form: ReadableForm): PolicyDraft {
  const { action } = form;
  const isApproval = actionsOf(action).includes('require_approval');
  return {
    ...(form.id !== undefined && { id: form.id }),
    match: matchOf(form),
    when: whenOf(form),
    masking: maskingOf(form),
    ...(isApproval && action?.approver_role !== undefined && { approval: approvalOf(action) }),
  };
}

function build(form: PolicyForm, action: Action): Policy {
  const { action: options } = form;
  return {
    id: form.id,
    ...(form.description !== undefined && { description: form.description }),
    match: matchOf(form),
    when: whenOf(form),
    action,
    ...(options.reason !== undefined && { reason: options.reason }),
    ...(action === 'mask' && { masking: maskingOf(form) }),
    ...(action === 'require_approval' && { approval: approvalOf(options) }),
    ...(options.ttl !== undefined && { ttl_seconds: parseDuration(options.ttl) }),
    ...(options.max_rows !== undefined && { max_rows: options.max_rows }),
    ...(options.auto_revoke !== undefined && { auto_revoke: options.auto_revoke }),
    priority: form.priority ?? 0,
  };
}

function matchOf({ match = {} }: ReadableForm): Policy['match'] {
  const { context: _context, ...own } = match;
  return own;
}

function whenOf(form: ReadableForm): Conditions {
  return Object.assign({}, ...conditionParts(form).map((part) => part.conditions));
}

/** A mask that names no method hides in full: doing nothing would be to show. */
function maskingOf({ action, masking }: ReadableForm): NonNullable<Policy['masking']> {
  const rules = Object.entries(masking?.rules ?? {}).map(([field, mask]) => [field, specOf(mask)]);
  return {
    default_method: specOf(masking?.default_method ?? action?.mask_type ?? 'full'),
    ...(rules.length > 0 && { rules: Object.fromEntries(rules) }),
    ...(action?.mask_except && { except: action.mask_except }),
  };
}

function approvalOf(options: ActionForm): NonNullable<Policy['approval']> {
  return {
    approver_role: options.approver_role ?? '',
    ...(options.approvals !== undefined && { approvals: options.approvals }),
    ...(options.approval_metadata_required && {
      metadata_required: options.approval_metadata_required,
    }),
    ...(options.lifts_mask !== undefined && { lifts_mask: options.lifts_mask }),
  };
}

function specOf(mask: MaskForm): MaskSpec {
  if (typeof mask === 'string') return maskMethodOf(mask);
  return { ...mask, method: maskMethodOf(mask.method) };
}

/** `context:`, `when:` and `match.context:` mean the same, and add up where no attribute is in two of them. */
function conditionParts(form: ReadableForm): { conditions: ConditionsForm; pointer: string }[] {
  const parts = [
    { conditions: form.context, pointer: '/context' },
    { conditions: form.when, pointer: '/when' },
    { conditions: form.match?.context, pointer: '/match/context' },
  ];
  return parts.flatMap(({ conditions, pointer }) => (conditions ? [{ conditions, pointer }] : []));
}

function collisions(form: ReadableForm): FormProblem[] {
  const seen = new Map<string, string>();
  const problems: FormProblem[] = [];
  for (const { conditions, pointer } of conditionParts(form)) {
    for (const attribute of Object.keys(conditions)) {
      const first = seen.get(attribute);
      if (first === undefined) seen.set(attribute, pointer);
      else {
        problems.push({
          pointer: `${pointer}/${attribute}`,
          atKey: true,
          code: 'duplicate_condition',
          message: `${attribute} already has a condition in ${first.slice(1).replace('/', '.')}.`,
          suggestion: 'Put all conditions under `context`.',
        });
      }
    }
  }
  return problems;
}
