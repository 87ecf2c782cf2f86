import type { Problem } from '../errors/index.js';
import { evaluate } from '../policy/evaluate.js';
import { type ExplainedPolicy, explainPolicies } from '../policy/explain-policies.js';
import {
  type ComparableDecision,
  comparableDecision,
  compareDecision,
  type TestDifference,
} from '../policy/policy-test-compare.js';
import {
  coverageRecorder,
  type PolicyTestCoverage,
  reaches,
} from '../policy/policy-test-coverage.js';
import type { TestGiven } from '../policy/policy-test-file.js';
import { type PreparedTest, preparePolicyTest } from '../policy/policy-test-input.js';
import { missingMetadata } from './control/approvals-given.js';
import type { LoadedPolicies } from './load-policies.js';
import { invalidTests, type ReadPolicyTests } from './read-policy-tests.js';

/** A trace has a line per policy; beyond so many failures nobody reads another. */
const TRACES_MAX = 50;

export interface PolicyTestResult {
  file: string;
  line: number;
  column: number;
  /** The name of the file's cases. */
  suite: string;
  name: string;
  passed: boolean;
  given: TestGiven;
  differences: readonly TestDifference[];
  actual: ComparableDecision;
  /** Of the first 50 failures. */
  trace?: readonly ExplainedPolicy[];
}

export interface TestPoliciesResult {
  /** Every case is as expected, and the coverage is as wanted. */
  passed: boolean;
  total: number;
  failed: number;
  results: readonly PolicyTestResult[];
  coverage: PolicyTestCoverage & { minimum: number | null; reached: boolean };
}

/**
 * Decides every case by the policies and compares. The same files give the same result at any time: a case that names no
 * moment has a fixed one. Throws `invalid_input` with every problem of every file, in which case none was run.
 */
export function testPolicies(
  { active: { policies: set }, roles }: LoadedPolicies,
  tests: ReadPolicyTests,
  coverageMin: number | null = null,
): TestPoliciesResult {
  const problems: Problem[] = [...tests.problems];
  const prepared = tests.files.flatMap(({ file, name: suite, cases }) =>
    cases.flatMap((test) => {
      const found = preparePolicyTest(set, test, roles);
      problems.push(...found.problems);
      return found.prepared === null ? [] : [{ file, suite, test, prepared: found.prepared }];
    }),
  );
  if (problems.length > 0) throw invalidTests(problems);
  const coverage = coverageRecorder(set);
  let traces = 0;
  const results = prepared.map(({ file, suite, test, prepared: one }): PolicyTestResult => {
    const decision = evaluate(one.set, one.input);
    coverage.record(one, decision);
    const missing = missingMetadata(decision.approvals, test.given.metadata ?? {});
    const actual = comparableDecision(decision, one, missing);
    const differences = compareDecision(test.expect, actual, one);
    const { name, line, column, given } = test;
    const passed = differences.length === 0;
    const result = { file, line, column, suite, name, passed, given, differences, actual };
    if (passed || traces === TRACES_MAX) return result;
    traces += 1;
    return { ...result, trace: traceOf(one) };
  });
  const failed = results.filter(({ passed }) => !passed).length;
  const report = coverage.report();
  const reached = coverageMin === null || reaches(report, coverageMin);
  return {
    passed: failed === 0 && reached,
    total: results.length,
    failed,
    results,
    coverage: { ...report, minimum: coverageMin, reached },
  };
}

function traceOf({ set, input }: PreparedTest): readonly ExplainedPolicy[] {
  const { trace = [] } = evaluate(set, { ...input, trace: true });
  return explainPolicies(set, input, trace);
}
