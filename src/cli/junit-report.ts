import type { PolicyTestResult, TestPoliciesResult } from '../services/test-policies.js';
import { escapeXml } from '../util/xml.js';
import { differenceLines } from './policy-test-report.js';
import { becauseOf } from './trace-lines.js';

/**
 * Results as JUnit XML, which build servers read: a suite per file, a test case per case. A minimum of coverage is a case of
 * its own. No times are in it, so the same files give the same document.
 */
export function renderJunit({ results, coverage }: TestPoliciesResult): string {
  const files = new Map<string, PolicyTestResult[]>();
  for (const result of results) files.set(result.file, [...(files.get(result.file) ?? []), result]);
  const suites = [...files].map(([file, cases]) =>
    suiteOf(cases[0]?.suite ?? file, file, cases.map(caseOf)),
  );
  if (coverage.minimum !== null) {
    const { policies, conditions, minimum, reached } = coverage;
    const message = `policies ${policies.share}%, conditions ${conditions.share}%, wanted ${minimum}%`;
    const failure = reached ? null : { message, text: message };
    suites.push(suiteOf('coverage', 'coverage', [testCase('--min-coverage', 'coverage', failure)]));
  }
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', { name: 'vkit policy test', ...countsOf(suites) }, suites)}\n`;
}

interface Counted {
  xml: string;
  tests: number;
  failures: number;
}

function caseOf(result: PolicyTestResult): Counted {
  const { file, suite, name, line, passed, differences, trace = [] } = result;
  const message = `not as expected: ${differences.map(({ key }) => key).join(', ')}`;
  const text = [
    ...differenceLines(result),
    `given ${JSON.stringify(result.given)}`,
    ...trace.map((entry) => `${entry.matched} ${entry.policy_id}: ${becauseOf(entry)}`),
  ].join('\n');
  return testCase(name, suite, passed ? null : { message, text }, { file, line: String(line) });
}

function testCase(
  name: string,
  classname: string,
  failure: { message: string; text: string } | null,
  place: Readonly<Record<string, string>> = {},
): Counted {
  const attributes = { name, classname, ...place };
  if (failure === null) {
    return { xml: `<testcase${attributesOf(attributes)}/>`, tests: 1, failures: 0 };
  }
  const { message, text } = failure;
  const head = `<failure${attributesOf({ message, type: 'policy_tests_failed' })}>`;
  const lines = text.split('\n').map(escapeXml).join('\n');
  const xml = `<testcase${attributesOf(attributes)}>\n${head}${lines}</failure>\n</testcase>`;
  return { xml, tests: 1, failures: 1 };
}

function suiteOf(name: string, file: string, cases: readonly Counted[]): Counted {
  const counts = countsOf(cases);
  return {
    xml: element('testsuite', { name, file, ...counts }, cases),
    tests: Number(counts.tests),
    failures: Number(counts.failures),
  };
}

function countsOf(parts: readonly Counted[]): { tests: string; failures: string; errors: string } {
  const sum = (key: 'tests' | 'failures') => parts.reduce((total, part) => total + part[key], 0);
  return { tests: String(sum('tests')), failures: String(sum('failures')), errors: '0' };
}

function element(
  tag: string,
  attributes: Readonly<Record<string, string>>,
  children: readonly Counted[],
): string {
  const inner = children.map(({ xml }) => xml).join('\n');
  return `<${tag}${attributesOf(attributes)}>\n${inner}\n</${tag}>`;
}

function attributesOf(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escapeXml(value)}"`)
    .join('');
}
