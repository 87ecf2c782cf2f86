import type { MaskMethod } from '../masking/model.js';
import { escapePointer } from './check-form.js';
import type { FormProblem, MaskForm, ReadableForm } from './policy-form.js';

const MASK_ALIASES: Readonly<Record<string, MaskMethod>> = { redact: 'full', truncate: 'partial' };

/** The method that a name or its alias means. */
export function maskMethodOf(name: string): MaskMethod {
  return MASK_ALIASES[name] ?? (name as MaskMethod);
}

/** What the schema cannot say of masks: one method in two places, options that are not of their method. */
export function checkMasks(
  { action, masking }: ReadableForm,
  isBroken: (pointer: string) => boolean,
): FormProblem[] {
  const problems: FormProblem[] = [];
  const { default_method: method, rules = {} } = masking ?? {};
  const short = action?.mask_type;
  if (short !== undefined && method !== undefined && !isSameMask(short, method)) {
    problems.push({
      pointer: '/action/mask_type',
      atKey: true,
      code: 'duplicate_method',
      message:
        '`mask_type` is the short form of `masking.default_method`, and here they say different things.',
      suggestion: 'Keep the one you mean.',
    });
  }
  if (method !== undefined)
    problems.push(...checkMask(method, '/masking/default_method', isBroken));
  for (const [field, mask] of Object.entries(rules)) {
    problems.push(...checkMask(mask, `/masking/rules/${escapePointer(field)}`, isBroken));
  }
  return problems;
}

/** A mask with options of its own is another one than its method alone. */
function isSameMask(short: string, mask: MaskForm): boolean {
  const { method, ...options } = typeof mask === 'string' ? { method: mask } : mask;
  return maskMethodOf(short) === maskMethodOf(method) && Object.keys(options).length === 0;
}

function checkMask(
  mask: MaskForm,
  pointer: string,
  isBroken: (pointer: string) => boolean,
): FormProblem[] {
  if (typeof mask === 'string' || isBroken(`${pointer}/method`)) return [];
  const { method, prefix, suffix, min_length: minLength } = mask;
  if (maskMethodOf(method) !== 'partial') {
    const given = Object.keys(mask).filter((key) => key !== 'method');
    return given.map((key) => ({
      pointer: `${pointer}/${key}`,
      atKey: true,
      code: 'mask_options',
      message: `\`${key}\` is an option of partial, not of ${method}.`,
    }));
  }
  const unsure = isBroken(`${pointer}/prefix`) || isBroken(`${pointer}/suffix`);
  const kept = (prefix ?? 3) + (suffix ?? 0);
  if (unsure || minLength === undefined || minLength > kept) return [];
  return [
    {
      pointer: `${pointer}/min_length`,
      code: 'mask_options',
      message: `A text of ${minLength} characters would be shown whole: ${kept} of them are kept.`,
      suggestion: `Write at least ${kept + 1}.`,
    },
  ];
}
