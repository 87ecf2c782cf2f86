import { formatDuration, parseDuration } from '../util/duration.js';
import { TTL_SECONDS_MAX } from './bounds.js';
import { ACTIONS, type Action } from './model.js';
import type { ActionForm, FormProblem, ReadableForm } from './policy-form.js';

/** Keys that an action must have beside it. */
const NEEDED: readonly { action: Action; key: keyof ActionForm }[] = [
  { action: 'deny', key: 'reason' },
  { action: 'require_approval', key: 'reason' },
  { action: 'require_approval', key: 'approver_role' },
];

/** What a ttl may be; the schema says the same of its pattern. */
const DURATION_WORDS =
  'a duration such as 30s, 15m, 1h, 2d, or a number of seconds; a grant lives at most 24h';

/** Keys of a mask: beside another action they would be taken for a restriction that is not there. */
const MASK_KEYS = ['mask_type', 'mask_except'] as const;

/** Keys of an approval: beside another action they do nothing, and the author hears of it. */
const APPROVAL_KEYS = [
  'approver_role',
  'approvals',
  'approval_metadata_required',
  'lifts_mask',
] as const;

/** The actions that a form says are true; one, in a policy that is right. */
export function actionsOf(action: ActionForm | undefined): readonly Action[] {
  return ACTIONS.filter((one) => action?.[one] === true);
}

/**
 * What is wrong with the action and the keys beside it, and what of it only has no effect. `isBroken` tells whether the
 * place of a pointer has a problem already.
 */
export function checkAction(
  form: ReadableForm,
  isBroken: (pointer: string) => boolean,
): { problems: FormProblem[]; warnings: FormProblem[] } {
  const { action: options } = form;
  if (options === undefined) return { problems: [], warnings: [] };
  const chosen = actionsOf(options);
  const unsure = ACTIONS.some((one) => isBroken(`/action/${one}`));
  const missing = NEEDED.filter(
    ({ action, key }) =>
      chosen.includes(action) && options[key] === undefined && !isBroken(`/action/${key}`),
  );
  return {
    problems: [
      ...(chosen.length > 1 || (chosen.length === 0 && !unsure) ? [notOneAction(chosen)] : []),
      ...missing.map(missingKey),
      ...(unsure || chosen.length === 0 ? [] : maskKeys(form, chosen)),
      ...(hasDuration(options.ttl) ? [] : [badDuration()]),
    ],
    warnings: [
      ...(unsure || chosen.length === 0 ? [] : withoutEffect(options, chosen)),
      ...overCeiling(options.ttl),
    ],
  };
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

function missingKey({ action, key }: { action: Action; key: string }): FormProblem {
  return {
    pointer: '/action',
    atKey: true,
    code: 'missing_key',
    message: `action lacks \`${key}\`, which \`${action}: true\` needs.`,
  };
}

function maskKeys({ action, masking }: ReadableForm, chosen: readonly Action[]): FormProblem[] {
  if (chosen.includes('mask')) return [];
  const given = MASK_KEYS.filter((key) => action?.[key] !== undefined);
  return [
    ...given.map((key) => ({ pointer: `/action/${key}`, name: key })),
    ...(masking === undefined ? [] : [{ pointer: '/masking', name: 'masking' }]),
  ].map(({ pointer, name }) => ({
    pointer,
    atKey: true,
    code: 'needs_action',
    message: `\`${name}\` needs \`mask: true\`.`,
  }));
}

function withoutEffect(options: ActionForm, chosen: readonly Action[]): FormProblem[] {
  if (chosen.includes('require_approval')) return [];
  const given = APPROVAL_KEYS.filter((key) => options[key] !== undefined);
  return given.map((key) => ({
    pointer: `/action/${key}`,
    atKey: true,
    code: 'no_effect',
    message: `\`${key}\` has no effect beside \`${chosen[0]}: true\`: nobody is asked to approve.`,
    suggestion:
      'Make the action `require_approval: true` if you mean an approval, or leave it out.',
  }));
}

function hasDuration(ttl: string | number | undefined): boolean {
  return ttl === undefined || secondsOf(ttl) !== null;
}

function badDuration(): FormProblem {
  return {
    pointer: '/action/ttl',
    code: 'bad_duration',
    message: `action.ttl must be ${DURATION_WORDS}.`,
  };
}

function overCeiling(ttl: string | number | undefined): FormProblem[] {
  const seconds = ttl === undefined ? null : secondsOf(ttl);
  if (seconds === null || seconds <= TTL_SECONDS_MAX) return [];
  return [
    {
      pointer: '/action/ttl',
      code: 'ttl_over_ceiling',
      message: `action.ttl is ${formatDuration(seconds)}, and a grant lives at most 24h.`,
      suggestion: 'Write 24h or less.',
    },
  ];
}

function secondsOf(ttl: string | number): number | null {
  try {
    return parseDuration(ttl);
  } catch {
    // A RangeError is all that parseDuration throws; the caller says what is allowed.
    return null;
  }
}
