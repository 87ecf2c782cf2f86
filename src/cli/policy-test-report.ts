import type { TestDifference } from '../policy/policy-test-compare.js';
import type { CoverageOf } from '../policy/policy-test-coverage.js';
import type { PolicyTestResult, TestPoliciesResult } from '../services/test-policies.js';
import { formatDurationExactly } from '../util/duration.js';
import { escapeTerminal } from '../util/escape.js';
import { coloursFor } from './colours.js';
import { traceLines } from './trace-lines.js';

const NAMES_MAX = 20;

/** The outcome of policy tests for people: each failing case with its trace, then the counts. */
export function renderPolicyTests(result: TestPoliciesResult): string {
  const { red, green } = coloursFor(process.stdout);
  const { results, total, failed, coverage } = result;
  const failing = results.filter(({ passed }) => !passed).map((one) => `${renderFailure(one)}\n`);
  const cases = total === 1 ? 'case' : 'cases';
  const verdict =
    failed === 0
      ? `${green('✓')} ${total} ${cases}: as expected`
      : `${red('✗')} ${failed} of ${total} ${cases}: not as expected`;
  const lines = [
    ...failing,
    verdict,
    shareLine(
      'policies',
      coverage.policies,
      coverage.policies.unexercised.map(({ policy_id: id }) => id),
    ),
    shareLine(
      'conditions',
      coverage.conditions,
      coverage.conditions.unexercised.map(
        ({ policy_id, condition, seen }) => `${policy_id}.${condition} (${SEEN[seen ?? 'never']})`,
      ),
    ),
  ];
  if (!coverage.reached) {
    lines.push(`${red('✗')} Less than the ${coverage.minimum}% of --min-coverage.`);
  }
  return lines.join('\n');
}

/** `file:line:column  suite: case` for one case. */
export function nameOfResult({ file, line, column, suite, name }: PolicyTestResult): string {
  return `${file}:${line}:${column}  ${suite}: ${name}`;
}

/** What a case expects and what was decided instead, a line for each difference. */
export function differenceLines({ differences }: PolicyTestResult): string[] {
  return differences.map(
    ({ key, expected, actual }) =>
      `${key}: expected ${valueText(key, expected)}, was ${valueText(key, actual)}`,
  );
}

/** A duration as people write it, and everything else as JSON. */
function valueText(key: TestDifference['key'], value: unknown): string {
  if (key === 'ttl' && typeof value === 'number') return formatDurationExactly(value);
  return JSON.stringify(value);
}

const SEEN = { yes: 'never failed', no: 'never held', never: 'never asked' } as const;

function renderFailure(result: PolicyTestResult): string {
  const { red, dim } = coloursFor(process.stdout);
  const { policy_id: policy, reason } = result.actual;
  const decided = policy === null ? 'No policy decided.' : `Decided by ${policy}.`;
  return [
    `${red('✗')} ${escapeTerminal(nameOfResult(result))}`,
    ...differenceLines(result).map((line) => `    ${escapeTerminal(line)}`),
    `    ${dim(escapeTerminal(`given ${JSON.stringify(result.given)}`))}`,
    `    ${dim(escapeTerminal(reason === null ? decided : `${decided} ${reason}`))}`,
    ...traceLines(result.trace ?? []).map((line) => `  ${line}`),
  ].join('\n');
}

function shareLine<T>(what: string, coverage: CoverageOf<T>, open: readonly string[]): string {
  const { exercised, total, share } = coverage;
  const { dim } = coloursFor(process.stdout);
  const head = `  ${exercised} of ${total} ${what} exercised (${share}%)`;
  if (open.length === 0) return head;
  const names = open.slice(0, NAMES_MAX).map((name) => dim(`\n    not: ${escapeTerminal(name)}`));
  const more = open.length - names.length;
  return `${head}${names.join('')}${more === 0 ? '' : dim(`\n    and ${more} more`)}`;
}
