import type { Problem } from '../errors/index.js';
import { checkForm } from './check-form.js';
import { DEFAULT_CLEARANCES } from './clearance.js';
import type { Policy, PolicyDraft } from './model.js';
import type { FormProblem, ReadableForm } from './policy-form.js';
import { policyOfForm } from './policy-of-form.js';
import { type Position, readYaml } from './yaml-document.js';

export interface ParsedPolicy {
  /** `null` where there are problems. */
  policy: Policy | null;
  /** All of them, by line, each with file, line, column and JSON Pointer. */
  problems: readonly Problem[];
  /** What the policy says without effect, placed and sorted like the problems. */
  warnings: readonly Problem[];
  /** What of it can be read, also where there are problems; `null` where that is nothing. */
  draft: PolicyDraft | null;
  /** Where the value of a JSON Pointer into the file stands, from 1; the nearest part around it if it is not there. */
  position(pointer: string): Position;
}

export interface ParsePolicyOptions {
  /** From lowest to highest; low, medium, high, admin if absent. */
  clearances?: readonly string[];
}

/** Texts for people, which may well begin with a colon. */
const PROSE = new Set(['description', 'reason']);

/** Reads a policy file (policy.md). Never throws for what a file can hold. */
export function parsePolicyFile(
  text: string,
  file: string,
  options: ParsePolicyOptions = {},
): ParsedPolicy {
  const yaml = readYaml(text, file);
  const { position } = yaml;
  if (yaml.problems.length > 0) {
    return { policy: null, problems: yaml.problems, warnings: [], draft: null, position };
  }
  const { policy, problems, warnings, draft } = checkPolicy(withoutSymbols(yaml.value), options);
  const placed = (found: readonly FormProblem[]) =>
    found
      .map(({ atKey, ...problem }): Problem => {
        const place = atKey ? yaml.keyPosition : yaml.position;
        return { file, ...place(problem.pointer), ...problem };
      })
      .sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  return { policy, problems: placed(problems), warnings: placed(warnings), draft, position };
}

export interface CheckedPolicy {
  policy: Policy | null;
  problems: readonly FormProblem[];
  warnings: readonly FormProblem[];
  draft: PolicyDraft | null;
}

/** Checks the data of a policy file: its shape, and the sense of all parts whose shape holds. */
export function checkPolicy(
  value: unknown,
  { clearances = DEFAULT_CLEARANCES }: ParsePolicyOptions,
): CheckedPolicy {
  const { problems, readable } = checkForm(value);
  if (typeof readable !== 'object' || readable === null) {
    return { policy: null, problems, warnings: [], draft: null };
  }
  const read = policyOfForm(readable as ReadableForm, clearances, problems);
  return { ...read, problems: [...problems, ...read.problems] };
}

/** Symbols of older files (`:medium`) as plain texts. */
export function withoutSymbols(value: unknown): unknown {
  if (typeof value === 'string') return /^:[A-Za-z_]\w*$/.test(value) ? value.slice(1) : value;
  if (Array.isArray(value)) return value.map(withoutSymbols);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      PROSE.has(key) ? entry : withoutSymbols(entry),
    ]),
  );
}
