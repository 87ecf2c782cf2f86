import { VkitError } from '../errors/index.js';
import type { PullRequest, PullRequests, PullRequestText } from '../git/github-pull-requests.js';

export type PullRequestAction = 'created' | 'updated' | 'unchanged' | 'closed' | 'none';

export interface PullRequestOutcome {
  action: PullRequestAction;
  pullRequest: PullRequest | null;
}

/**
 * Sees to it that there is an open pull request with this text: the oldest of those that were `open` a moment ago, or a new one. Twice
 * the same is once. Throws `conflict` where GitHub says that there is one, and shows none.
 */
export async function openPullRequest(
  pulls: PullRequests,
  { open: [oldest], ...text }: PullRequestText & { open: readonly PullRequest[] },
): Promise<PullRequestOutcome> {
  if (oldest !== undefined) return bringUpToDate(pulls, oldest, text);
  const created = await pulls.create(text);
  if (created !== null) return { action: 'created', pullRequest: created };
  // Somebody was faster, or an attempt whose answer never came had been heard.
  const [other] = await pulls.listOpen();
  if (other !== undefined) return bringUpToDate(pulls, other, text);
  throw new VkitError(
    'conflict',
    'GitHub says that the pull request exists, and does not show it.',
    {
      hint: 'Run the command again.',
    },
  );
}

async function bringUpToDate(
  pulls: PullRequests,
  found: PullRequest,
  text: PullRequestText,
): Promise<PullRequestOutcome> {
  if (found.title === text.title && plain(found.body) === plain(text.body)) {
    return { action: 'unchanged', pullRequest: found };
  }
  return { action: 'updated', pullRequest: await pulls.update(found.number, text) };
}

/** GitHub's own form sends other line ends, and leaves space at the end out. */
function plain(body: string): string {
  return body.replaceAll('\r\n', '\n').trimEnd();
}

/** Closes pull requests, and tells of the first. */
export async function closePullRequests(
  pulls: PullRequests,
  open: readonly PullRequest[],
): Promise<PullRequestOutcome> {
  const closed: PullRequest[] = [];
  for (const { number } of open) closed.push(await pulls.update(number, { state: 'closed' }));
  const [first = null] = closed;
  return { action: first === null ? 'none' : 'closed', pullRequest: first };
}
