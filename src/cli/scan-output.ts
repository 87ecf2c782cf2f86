import { formatProblem, VkitError } from '../errors/index.js';
import type { DriftFinding } from '../schema/drift.js';
import { renderDriftJson } from '../schema/drift-json.js';
import { renderLoginWarnings, type ScanReport } from '../schema/drift-report.js';
import { splitRegistry } from '../schema/registry-blocks.js';
import type { ScanAllResult } from '../services/scan-all.js';
import type { ScanOutcome } from '../services/scan-datasource.js';
import { escapeTerminal } from '../util/escape.js';
import { toVkitError } from './report-error.js';
import { renderTable } from './table.js';

/** `a, b, and c` */
const LIST = new Intl.ListFormat('en', { type: 'conjunction' });

/** Why each field that was found got its classification, for `--explain`. */
export function renderReasons({ drift }: ScanReport): string {
  const fields = drift.filter(
    (finding): finding is DriftFinding & { field: string; because: string } =>
      finding.field !== undefined && finding.because !== undefined && finding.because !== '',
  );
  if (fields.length === 0)
    return 'Nothing to explain: a scan classifies what is new, and no rule spoke of it.';
  return renderTable(fields, [
    { heading: 'Field', value: ({ dataset, field }) => `${dataset}.${field}` },
    { heading: 'Classification', value: ({ classification }) => classification },
    { heading: 'Sensitivity', value: ({ sensitivity }) => sensitivity },
    { heading: 'Because', value: ({ because }) => because, below: true },
  ]);
}

/** Where each dataset's entry begins in the registry, for a viewer to jump to. */
export function registryPlaces(
  outcomes: readonly Pick<ScanOutcome, 'registryFiles'>[],
): Map<string, { path: string; line: number }> {
  const places = new Map<string, { path: string; line: number }>();
  const files = new Map(
    outcomes.flatMap(({ registryFiles }) => registryFiles).map(({ path, text }) => [path, text]),
  );
  for (const [path, text] of files) {
    for (const { body, line } of splitRegistry(text)?.blocks ?? []) {
      const key = /^(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s:]+))\s*:/.exec(body);
      const name = key?.[1] ?? key?.[2] ?? key?.[3];
      if (name !== undefined) places.set(name, { path, line });
    }
  }
  return places;
}

/** What is said beside a report: policy files that could not be read, each problem once, and what a login could do. */
export function scanWarnings(outcomes: readonly ScanOutcome[]): string[] {
  const problems = outcomes.flatMap(({ policyProblems }) => policyProblems.map(formatProblem));
  return [...new Set(problems), ...outcomes.flatMap(({ report }) => renderLoginWarnings(report))];
}

/** What is said when one of several datasources could not be looked at: whatever was found in the others is no answer. */
export function scanFailure({ outcomes, failures }: ScanAllResult): VkitError {
  const known = failures.map(({ id, error }) => ({ id, error: toVkitError(error) }));
  const total = outcomes.length + failures.length;
  const names = known.map(({ id }) => id).join(', ');
  return new VkitError(
    'drift_unknown',
    `${failures.length} of ${total} datasources could not be scanned: ${names}.`,
    {
      hint: 'The others were scanned. Correct what is listed, and scan again.',
      details: {
        problems: known.flatMap(({ error: { code, message, hint, details } }) => [
          { code, message, ...(hint === undefined ? {} : { suggestion: hint }) },
          ...(details?.problems ?? []),
        ]),
        failures: known.map(({ id, error: { code, message, hint } }) => ({
          id,
          code,
          message,
          hint: hint ?? null,
        })),
        reports: outcomes.map(({ report }) => renderDriftJson(report)),
      },
      cause: failures[0]?.error,
    },
  );
}

/** Errors after which nobody looked at the database: a login that is missing, a driver, a file with problems. */
const NOT_LOOKED: readonly string[] = ['config_invalid', 'dependency_missing', 'unsupported'];

/** The error of a scan of one datasource: one that could not look is as one of several that could not, `drift_unknown`. */
export function cannotLook(error: unknown): unknown {
  if (!(error instanceof VkitError) || !NOT_LOOKED.includes(error.code)) return error;
  const { code, message, hint, details } = error;
  return new VkitError('drift_unknown', message, {
    ...(hint === undefined ? {} : { hint }),
    details: { ...details, code },
    cause: error,
  });
}

/** What to do after a scan; `''` where there is nothing. `isRead`: a person reads the report, on a terminal. */
export function nextAfterScan(
  outcomes: readonly ScanOutcome[],
  { applied, isRead }: { applied: boolean; isRead: boolean },
): string {
  const lines = [];
  const suggested = outcomes.filter(({ report }) => report.suggestions.length > 0);
  const [first] = suggested;
  if (first !== undefined && isRead && !applied) {
    const which = suggested.length === 1 ? escapeTerminal(first.report.datasource) : '--all';
    lines.push(
      `Policies that would cover what nothing covers, with tests: vkit scan ${which} --diff`,
    );
  }
  const written = applied ? [...new Set(outcomes.flatMap((outcome) => outcome.written))] : [];
  if (written.length > 0) {
    const policies = outcomes[0]?.policies ?? 0;
    const next = policies === 0 ? 'vkit policy pack add starter' : 'vkit policy validate';
    lines.push(`Wrote ${LIST.format(written)}: read what was classified.\nNext: ${next}`);
  }
  return lines.join('\n');
}
