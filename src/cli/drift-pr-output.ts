import { VkitError } from '../errors/index.js';
import { type DriftSummary, summarizeDrift } from '../schema/drift.js';
import { renderSummary } from '../schema/drift-report.js';
import type { DriftPullRequestResult } from '../services/drift-pull-request.js';
import { scanFailure } from './scan-output.js';

/** The document of `vkit drift pr --json`. */
interface DriftPullRequestJson {
  action: DriftPullRequestResult['action'];
  pull_request: { id: number; number: number; url: string; state: string; title: string } | null;
  branch: string;
  /** The default branch, into which it is proposed. */
  base: string;
  /** What vkit's branch is at. */
  commit: string | null;
  dry_run: boolean;
  /** Of all datasources together. */
  drift: DriftSummary & { found: boolean };
  datasources: { id: string; drift: boolean; summary: DriftSummary }[];
  failures: [];
}

export function toPullRequestJson(
  result: DriftPullRequestResult,
  { dryRun }: { dryRun: boolean },
): DriftPullRequestJson {
  const findings = result.outcomes.flatMap(({ report }) => report.drift);
  return {
    ...stateOf(result),
    dry_run: dryRun,
    drift: { found: findings.length > 0, ...summarizeDrift(findings) },
    datasources: result.outcomes.map(({ report: { datasource, drift } }) => ({
      id: datasource,
      drift: drift.length > 0,
      summary: summarizeDrift(drift),
    })),
    failures: [],
  };
}

function stateOf({ action, pullRequest, branch, base, commit }: DriftPullRequestResult) {
  const shown =
    pullRequest === null
      ? null
      : {
          id: pullRequest.number,
          number: pullRequest.number,
          url: pullRequest.url,
          state: pullRequest.state,
          title: pullRequest.title,
        };
  return { action, pull_request: shown, branch, base, commit };
}

const WORDS: Record<DriftPullRequestResult['action'], string> = {
  created: 'Opened',
  updated: 'Updated',
  unchanged: 'Nothing new for',
  closed: 'Closed',
  none: '',
};

/** What was found and done, in two sentences for people. */
export function renderPullRequest(
  { action, pullRequest, branch, outcomes }: DriftPullRequestResult,
  { dryRun }: { dryRun: boolean },
): string {
  const drift = outcomes.flatMap(({ report }) => report.drift);
  const [found = ''] = renderSummary({ drift, applied: false }).split('. ');
  const what = `${found.replace(/\.$/, '')}.`;
  if (dryRun) return `${what} A dry run: nothing was pushed.`;
  if (pullRequest === null) return what;
  return `${what} ${WORDS[action]} pull request #${pullRequest.number} (${branch}): ${pullRequest.url}`;
}

/** As of a scan, with what became of the pull request: the drift of the others may be in it. */
export function driftFailure(result: DriftPullRequestResult): VkitError {
  const { message, hint, details, cause } = scanFailure(result);
  const { action, pullRequest } = result;
  const done =
    pullRequest === null || action === 'unchanged'
      ? 'Nothing was closed, and nothing of them was changed.'
      : `${WORDS[action]} pull request #${pullRequest.number} with the drift of the others.`;
  return new VkitError('drift_unknown', `${message} ${done}`, {
    hint: hint?.replace('scan again', 'run the command again') ?? '',
    details: { ...details, ...stateOf(result) },
    cause,
  });
}
