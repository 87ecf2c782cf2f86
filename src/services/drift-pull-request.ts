import { VkitError } from '../errors/index.js';
import { type GitHubPlace, type GitHubSettings, gitHubPlace } from '../git/github-place.js';
import { gitHubPullRequests, type PullRequest } from '../git/github-pull-requests.js';
import { openRemote } from '../git/open-remote.js';
import { openRepository } from '../git/open-repository.js';
import type { RemoteBranch, RemoteState } from '../git/remote-branch.js';
import { findProject } from '../project/find-project.js';
import { renderDriftMarkdown } from '../schema/drift-markdown.js';
import {
  closePullRequests,
  openPullRequest,
  type PullRequestAction,
  type PullRequestOutcome,
} from './open-pull-request.js';
import type { ScanAllInput, ScanAllResult } from './scan-all.js';
import { type ScanCommitInput, scanCommit } from './scan-commit.js';
import type { ScanRemoteInput } from './scan-remote.js';

/** The branch that is vkit's own, and the title by which its pull request is known. */
const BRANCH = 'vkit/drift';
const TITLE = 'Schema drift detected';

/** Whoever lost a race twice lets the others have it. */
const ATTEMPTS_MAX = 2;

export interface DriftPullRequestInput
  extends Omit<ScanAllInput, 'apply' | 'filesRoot' | 'openSource'>,
    Pick<ScanRemoteInput, 'client'> {
  /** Name of the Git remote. */
  remote: string;
  /** Look and tell, and write nothing anywhere but in the repository's object store. */
  dryRun: boolean;
  github: GitHubSettings;
  /** What Git needs to run at all. */
  gitEnvironment: Readonly<Record<string, string>>;
  /** The same, with logins, proxies and certificates for the remote. */
  remoteEnvironment: Readonly<Record<string, string>>;
  userAgent: string;
  fetch: typeof globalThis.fetch;
  sleep: (ms: number) => Promise<void>;
  /** Milliseconds since 1970. */
  clock: () => number;
}

export interface DriftPullRequestResult extends ScanAllResult {
  action: PullRequestAction;
  pullRequest: PullRequest | null;
  branch: string;
  base: string;
  /** What vkit's branch is at; `null` where there is none. */
  commit: string | null;
  /** The report, in Markdown: the body of the pull request. */
  body: string;
}

interface Context {
  input: DriftPullRequestInput;
  scan: Omit<ScanCommitInput, 'commit' | 'reviewed' | 'place'>;
  remote: RemoteBranch;
  place: GitHubPlace | null;
}

/**
 * Compares every datasource with the registry on the default branch of the remote, and keeps one pull request that proposes the next
 * registry: opened, updated, or closed where the drift is gone. Running it again does what is left to do. What is not vkit's
 * is never touched: work tree, index, HEAD, branches and stash here; the default branch, and commits of others on vkit's branch,
 * there. Where a datasource could not be looked at (`failures`), nothing of it changes and nothing is closed.
 *
 * Throws what the scan of a project throws before it begins, `unauthenticated` without a token, `conflict` where somebody else was faster
 * twice, and what Git and GitHub answer.
 */
export async function driftPullRequest(
  input: DriftPullRequestInput,
): Promise<DriftPullRequestResult> {
  const context = await contextOf(input);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await runOnce(context);
    } catch (error) {
      const lost = error instanceof VkitError && error.code === 'conflict';
      if (!lost || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

async function contextOf(input: DriftPullRequestInput): Promise<Context> {
  for (const folder of [input.registryDir, input.datasourcesDir, input.policiesDir]) {
    refuseOutside(folder);
  }
  const { root: projectRoot } = await findProject(input.cwd);
  const repository = await openRepository(projectRoot);
  if (repository === null) {
    throw new VkitError('invalid_input', 'The project is in no Git repository.', {
      hint: 'Pull requests come from one: git init, then git remote add origin URL',
    });
  }
  const { github, dryRun } = input;
  if (github.token === undefined && !dryRun) {
    throw new VkitError('unauthenticated', 'GITHUB_TOKEN is not set.', {
      hint: 'In a workflow it is github.token; with --dry-run none is needed.',
    });
  }
  const opened = await openRemote({
    root: repository.root,
    remote: input.remote,
    branch: BRANCH,
    environment: input.remoteEnvironment,
    placeOf: (url) => placeOf(url, input),
    token: github.token,
  });
  const { cwd: _cwd, remote: _remote, ...scan } = input;
  return {
    input,
    scan: { ...scan, projectRoot, repositoryRoot: repository.root },
    ...opened,
  };
}

/** A dry run asks GitHub nothing; where the remote is there all the same, Git gets the token as ever. */
function placeOf(url: string, { github, dryRun }: DriftPullRequestInput): GitHubPlace | null {
  try {
    return gitHubPlace(github, url);
  } catch (error) {
    if (dryRun) return null;
    throw error;
  }
}

async function runOnce(context: Context): Promise<DriftPullRequestResult> {
  const { input, scan, remote, place } = context;
  const state = await remote.read();
  const { defaultBranch: base } = state;
  const result = await scanCommit(
    {
      ...scan,
      commit: state.base,
      reviewed: state.base,
      place: `${base} of ${input.remote}`,
    },
    messageOf,
  );
  const body = renderDriftMarkdown(
    result.outcomes.map(({ report }) => report),
    {
      unknown: result.failures.map(({ id }) => id),
      ...(place === null ? {} : { link: compareUrl(place, base) }),
    },
  );
  const settled = { ...result, branch: BRANCH, base, body };
  const untouched = { ...settled, action: 'none', pullRequest: null, commit: state.head } as const;
  if (place === null || input.dryRun) return untouched;
  const pulls = gitHubPullRequests(
    {
      ...place,
      token: input.github.token ?? '',
      userAgent: input.userAgent,
      fetch: input.fetch,
      sleep: input.sleep,
      now: input.clock,
    },
    { branch: BRANCH, base },
  );
  // Asked before anything is pushed, so that a token that may not leaves no branch without a pull request.
  const open = await pulls.listOpen();
  if (result.proposal !== null) {
    // What is open may say something of a datasource that nobody can look at now; what was merged or closed does not.
    const keep = state.foreign || (result.failures.length > 0 && open.length > 0);
    const { commit, pushed, again } = await propose(context, { ...state, keep }, result.proposal);
    const outcome = await openPullRequest(pulls, { open, title: TITLE, body });
    // What the branch says may be what fails.
    const failed = again === null || again.failures.length === 0 ? {} : again;
    return { ...settled, ...failed, commit, ...told(outcome, pushed) };
  }
  // Nobody knows whether the drift of what could not be looked at is gone.
  if (result.failures.length > 0) return untouched;
  const outcome = await closePullRequests(pulls, open);
  if (state.head === null || state.foreign) return { ...settled, commit: state.head, ...outcome };
  await remote.remove(state.head);
  return { ...settled, commit: null, ...outcome };
}

interface Proposed {
  commit: string;
  pushed: boolean;
  /** What was found when the branch's own registry was compared; `null` where it was not. */
  again: ScanAllResult | null;
}

/** Puts the proposal on vkit's branch: in place of what vkit proposed before, or on top of what is to be kept. */
async function propose(
  { input, scan, remote }: Context,
  { head, base, defaultBranch, keep }: RemoteState & { keep: boolean },
  proposal: { id: string; tree: string },
): Promise<Proposed> {
  if (head !== null && keep) {
    const place = `${defaultBranch} of ${input.remote}`;
    const { proposal: next, ...again } = await scanCommit(
      { ...scan, commit: head, reviewed: base, place },
      messageOf,
    );
    if (next === null) return { commit: head, pushed: false, again };
    await remote.push(next.id, head);
    return { commit: next.id, pushed: true, again };
  }
  if (head !== null && (await remote.isMadeOf(head, { tree: proposal.tree, parent: base }))) {
    return { commit: head, pushed: false, again: null };
  }
  await remote.push(proposal.id, head);
  return { commit: proposal.id, pushed: true, again: null };
}

function told(outcome: PullRequestOutcome, pushed: boolean): PullRequestOutcome {
  return outcome.action === 'unchanged' && pushed ? { ...outcome, action: 'updated' } : outcome;
}

function messageOf({ outcomes }: ScanAllResult): string {
  const changed = outcomes.filter(({ report }) => report.drift.length > 0);
  const ids = changed.map(({ report }) => report.datasource);
  return `Update the registry\n\nWhat a scan found in ${ids.join(', ')}.`;
}

function compareUrl({ serverUrl, repository }: GitHubPlace, base: string): string {
  const encoded = [base, BRANCH].map((name) => name.split('/').map(encodeURIComponent).join('/'));
  return `${serverUrl}/${repository}/compare/${encoded.join('...')}`;
}

function refuseOutside(folder = ''): void {
  if (!/^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)/.test(folder)) return;
  throw new VkitError('usage', `The folder ${folder} is not below the project.`, {
    hint: 'Only what is in the project can be in its pull request.',
  });
}
