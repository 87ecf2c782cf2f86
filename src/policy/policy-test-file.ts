import schema from '../../schemas/policy_tests.schema.json' with { type: 'json' };
import { parseTimestamp } from '../aql/parse-moment.js';
import type { Problem } from '../errors/index.js';
import { checkSchema } from '../util/check-schema.js';
import { readYaml } from '../util/read-yaml.js';
import type { Action } from './model.js';

/** The requester, the request and the moment of a case, as its file says. `null` and absent: not known. */
export interface TestGiven {
  requester_role?: string | readonly string[];
  requester_clearance?: string | number | null;
  requester_region?: string | null;
  /** Absent: the datasource's. */
  dataset_region?: string | null;
  /** Absent: the datasource's. */
  environment?: string | null;
  purpose?: string | null;
  /** Whether the purpose is assigned to the account; default true. */
  purpose_assigned?: boolean;
  metadata?: Readonly<Record<string, string>>;
  dataset: string;
  fields?: readonly string[];
  /** RFC 3339; default `TEST_MOMENT`. */
  at?: string;
}

export interface ExpectedApproval {
  approver_role: string;
  approvals?: number;
  policy_id?: string;
  metadata_required?: readonly string[];
  lifts_mask?: boolean;
}

export interface TestExpectation {
  action?: Action;
  fields?: Readonly<Record<string, Action>>;
  masks?: Readonly<Record<string, string>>;
  policy_id?: string | null;
  reason?: string | null;
  denied_fields?: readonly string[];
  approvals?: readonly (string | ExpectedApproval)[];
  missing_metadata?: readonly string[];
  ttl?: string | number;
  max_rows?: number | null;
  auto_revoke?: boolean;
}

export interface PolicyTestCase {
  /** From the file, else `case N`. */
  name: string;
  given: TestGiven;
  expect: TestExpectation;
  /** Of the case in its file, from 1. */
  line: number;
  column: number;
  /** A problem with the value at a path below the case. */
  problemAt(path: readonly (string | number)[], problem: Omit<Problem, 'file'>): Problem;
}

export interface PolicyTestFile {
  file: string;
  name: string;
  cases: readonly PolicyTestCase[];
}

/** When a case that names no moment is decided: always the same, a Monday in working hours. */
export const TEST_MOMENT = '2026-03-02T10:00:00Z';

/** Reads a file of policy tests (policy.md, "Policy tests"). Never throws for what it holds; every problem is returned. */
export function parsePolicyTestFile(
  text: string,
  file: string,
): { tests: PolicyTestFile | null; problems: readonly Problem[] } {
  const yaml = readYaml(text);
  if (yaml.findings.length > 0) {
    return { tests: null, problems: yaml.findings.map((finding) => ({ file, ...finding })) };
  }
  const found = checkSchema(schema, yaml.value ?? {}).map(
    ({ path, pointer, code, message, suggestion }): Problem => ({
      file,
      ...yaml.positionOf(path, 'key'),
      pointer,
      code,
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    }),
  );
  if (found.length > 0) return { tests: null, problems: found };
  const { name, cases } = yaml.value as { name: string; cases: Partial<PolicyTestCase>[] };
  const problems: Problem[] = [];
  const tests = cases.map((one, index): PolicyTestCase => {
    const given = one.given as TestGiven;
    const problemAt: PolicyTestCase['problemAt'] = (path, problem) => ({
      file,
      ...yaml.positionOf(['cases', index, ...path], 'key'),
      ...problem,
    });
    if (given.at !== undefined && parseTimestamp(given.at, true) === undefined) {
      const message = 'This moment does not exist.';
      problems.push(problemAt(['given', 'at'], { code: 'wrong_value', message }));
    }
    return {
      name: one.name ?? `case ${index + 1}`,
      given,
      expect: one.expect as TestExpectation,
      ...yaml.positionOf(['cases', index]),
      problemAt,
    };
  });
  return { tests: problems.length > 0 ? null : { file, name, cases: tests }, problems };
}
