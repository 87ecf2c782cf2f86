import type { Problem } from '../errors/index.js';
import { readYaml, type YamlPosition } from '../util/read-yaml.js';
import { checkForm } from './check-form.js';
import { DEFAULT_CLEARANCES } from './clearance.js';
import type { Policy, PolicyDraft } from './model.js';
import type { FormProblem, ReadableForm } from './policy-form.js';
import { policyOfForm } from './policy-of-form.js';

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
  position(pointer: string): YamlPosition;
}

export interface ParsePolicyOptions {
  /** From lowest to highest; low, medium, high, admin if absent. */
  clearances?: readonly string[];
}

/** A policy is small, and there are thousands of them. */
const POLICY_YAML_LIMITS = { bytesMax: 256 * 1024, depthMax: 24, aliasesMax: 32 };

/** Texts for people, which may well begin with a colon. */
const PROSE = new Set(['description', 'reason']);

/** Reads a policy file (policy.md). Never throws for what a file can hold. */
export function parsePolicyFile(
  text: string,
  file: string,
  options: ParsePolicyOptions = {},
): ParsedPolicy {
  const yaml = readYaml(text, POLICY_YAML_LIMITS);
  const position = (pointer: string) => yaml.positionOf(pathOf(pointer));
  if (yaml.findings.length > 0) {
    const problems = yaml.findings.map((finding): Problem => ({ file, ...finding }));
    return { policy: null, problems, warnings: [], draft: null, position };
  }
  const { policy, problems, warnings, draft } = checkPolicy(withoutSymbols(yaml.value), options);
  const placed = (found: readonly FormProblem[]) =>
    found
      .map(({ atKey, ...problem }): Problem => {
        const place = yaml.positionOf(pathOf(problem.pointer), atKey ? 'key' : 'value');
        return { file, ...place, ...problem };
      })
      .sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  return { policy, problems: placed(problems), warnings: placed(warnings), draft, position };
}

/** The steps of a JSON Pointer (RFC 6901). */
function pathOf(pointer: string): readonly string[] {
  const steps = pointer.split('/').slice(1);
  return steps.map((step) => step.replace(/~1/g, '/').replace(/~0/g, '~'));
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
