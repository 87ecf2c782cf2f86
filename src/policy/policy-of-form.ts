import type { MaskMethod } from '../masking/model.js';
import { parseDuration } from '../util/duration.js';
import { checkConditions } from './check-conditions.js';
import { escapePointer } from './check-form.js';
import { ACTIONS, type Action, type Conditions, type MaskSpec, type Policy } from './model.js';
import type {
  ActionForm,
  ConditionsForm,
  FormProblem,
  MaskForm,
  PolicyForm,
} from './policy-form.js';

const MASK_ALIASES: Readonly<Record<string, MaskMethod>> = { redact: 'full', truncate: 'partial' };

/** Action keys that mean something only beside another. */
const NEEDS: readonly { key: keyof ActionForm; action: Action }[] = [
  { key: 'mask_type', action: 'mask' },
  { key: 'mask_except', action: 'mask' },
  { key: 'approver_role', action: 'require_approval' },
  { key: 'approvals', action: 'require_approval' },
  { key: 'approval_metadata_required', action: 'require_approval' },
  { key: 'lifts_mask', action: 'require_approval' },
];

/** The policy that a form means, with short forms resolved, or all that is wrong with it beyond its shape. */
export function policyOfForm(
  form: PolicyForm,
  clearances: readonly string[],
): { policy: Policy | null; problems: FormProblem[] } {
  const chosen = ACTIONS.filter((action) => form.action[action] === true);
  const action = chosen[0];
  const problems = [
    ...(chosen.length === 1 ? checkAction(form, chosen[0]) : [notOneAction(chosen)]),
    ...checkDuration(form.action.ttl),
    ...checkMasks(form),
    ...collisions(form),
    ...conditionParts(form).flatMap(({ conditions, pointer }) =>
      checkConditions(conditions, pointer, clearances),
    ),
  ];
  if (problems.length > 0 || action === undefined) return { policy: null, problems };
  return { policy: build(form, action), problems: [] };
}

function build(form: PolicyForm, action: Action): Policy {
  const { action: options } = form;
  const { context: _context, ...match } = form.match ?? {};
  const conditions = Object.assign({}, ...conditionParts(form).map((part) => part.conditions));
  return {
    id: form.id,
    ...(form.description !== undefined && { description: form.description }),
    match,
    when: conditions as Conditions,
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

/** A mask that names no method hides in full: doing nothing would be to show. */
function maskingOf({ action, masking }: PolicyForm): NonNullable<Policy['masking']> {
  const rules = Object.entries(masking?.rules ?? {}).map(([field, mask]) => [field, specOf(mask)]);
  return {
    default_method: specOf(masking?.default_method ?? action.mask_type ?? 'full'),
    ...(rules.length > 0 && { rules: Object.fromEntries(rules) }),
    ...(action.mask_except && { except: action.mask_except }),
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
  if (typeof mask === 'string') return methodOf(mask);
  return { ...mask, method: methodOf(mask.method) };
}

function methodOf(name: string): MaskMethod {
  return MASK_ALIASES[name] ?? (name as MaskMethod);
}

/** `context:`, `when:` and `match.context:` mean the same, and add up where no attribute is in two of them. */
function conditionParts(form: PolicyForm): { conditions: ConditionsForm; pointer: string }[] {
  const parts = [
    { conditions: form.context, pointer: '/context' },
    { conditions: form.when, pointer: '/when' },
    { conditions: form.match?.context, pointer: '/match/context' },
  ];
  return parts.flatMap(({ conditions, pointer }) => (conditions ? [{ conditions, pointer }] : []));
}

function collisions(form: PolicyForm): FormProblem[] {
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

function notOneAction(chosen: readonly Action[]): FormProblem {
  const found = chosen.length === 0 ? 'none is' : `${chosen.join(' and ')} are`;
  return {
    pointer: '/action',
    atKey: true,
    code: 'one_action',
    message: `Exactly one of ${ACTIONS.join(', ')} must be true; here ${found}.`,
  };
}

function checkAction(form: PolicyForm, action: Action | undefined): FormProblem[] {
  const problems: FormProblem[] = NEEDS.filter(
    (need) => form.action[need.key] !== undefined && need.action !== action,
  ).map((need) => ({
    pointer: `/action/${need.key}`,
    atKey: true,
    code: 'needs_action',
    message: `\`${need.key}\` needs \`${need.action}: true\`.`,
  }));
  if (form.masking && action !== 'mask') {
    problems.push({
      pointer: '/masking',
      atKey: true,
      code: 'needs_action',
      message: '`masking` needs `mask: true`.',
    });
  }
  return problems;
}

function checkDuration(ttl: string | number | undefined): FormProblem[] {
  if (ttl === undefined) return [];
  try {
    parseDuration(ttl);
    return [];
  } catch (error) {
    // A RangeError whose message says what is allowed is all that parseDuration throws.
    return [{ pointer: '/action/ttl', code: 'bad_duration', message: (error as Error).message }];
  }
}

function checkMasks({ action, masking }: PolicyForm): FormProblem[] {
  const problems: FormProblem[] = [];
  const { default_method: method, rules = {} } = masking ?? {};
  if (action.mask_type !== undefined && method !== undefined) {
    problems.push({
      pointer: '/action/mask_type',
      atKey: true,
      code: 'duplicate_method',
      message: '`mask_type` is the short form of `masking.default_method`; only one can be given.',
    });
  }
  if (method !== undefined) problems.push(...checkMask(method, '/masking/default_method'));
  for (const [field, mask] of Object.entries(rules)) {
    problems.push(...checkMask(mask, `/masking/rules/${escapePointer(field)}`));
  }
  return problems;
}

function checkMask(mask: MaskForm, pointer: string): FormProblem[] {
  if (typeof mask === 'string') return [];
  const { method, prefix, suffix, min_length: minLength } = mask;
  if (methodOf(method) !== 'partial') {
    const given = Object.keys(mask).filter((key) => key !== 'method');
    return given.map((key) => ({
      pointer: `${pointer}/${key}`,
      atKey: true,
      code: 'mask_options',
      message: `\`${key}\` is an option of partial, not of ${method}.`,
    }));
  }
  const kept = (prefix ?? 3) + (suffix ?? 0);
  if (minLength === undefined || minLength > kept) return [];
  return [
    {
      pointer: `${pointer}/min_length`,
      code: 'mask_options',
      message: `A text of ${minLength} characters would be shown whole: ${kept} of them are kept.`,
      suggestion: `Write at least ${kept + 1}.`,
    },
  ];
}
