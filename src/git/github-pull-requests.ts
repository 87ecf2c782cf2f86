import { VkitError } from '../errors/index.js';
import { maskSecrets } from '../util/mask-secrets.js';
import { type GitHubAnswer, type GitHubOptions, gitHubRequest } from './github-request.js';

const PER_PAGE = 100;
/** One branch has one or two open pull requests to another. */
const PAGES_MAX = 10;
const MESSAGE_CHARACTERS_MAX = 300;

export interface PullRequest {
  number: number;
  /** Its page, for people. */
  url: string;
  state: 'open' | 'closed';
  title: string;
  body: string;
}

export interface PullRequests {
  /** Those from `branch` of the repository itself into `base`, the oldest first. */
  listOpen(): Promise<PullRequest[]>;
  /** `null` where there is an open one already. */
  create(text: PullRequestText): Promise<PullRequest | null>;
  update(
    number: number,
    change: Partial<PullRequestText> & { state?: 'closed' },
  ): Promise<PullRequest>;
}

export interface PullRequestText {
  title: string;
  body: string;
}

/** The pull requests of one branch into another, by GitHub's REST API. */
export function gitHubPullRequests(
  options: GitHubOptions,
  { branch, base }: { branch: string; base: string },
): PullRequests {
  const [owner = '', name = ''] = options.repository.split('/');
  const path = `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}/pulls`;
  return {
    async listOpen() {
      const query = new URLSearchParams({
        state: 'open',
        head: `${owner}:${branch}`,
        base,
        sort: 'created',
        direction: 'asc',
        per_page: String(PER_PAGE),
      });
      const found: PullRequest[] = [];
      let next: string | null = `${path}?${query}`;
      for (let page = 0; next !== null; page += 1) {
        if (page === PAGES_MAX) {
          throw new VkitError('limit_exceeded', `${branch} has too many open pull requests.`, {
            hint: 'Close those that are not needed.',
          });
        }
        const answer: GitHubAnswer = await gitHubRequest(options, { method: 'GET', path: next });
        if (!Array.isArray(answer.body)) throw notUnderstood();
        // GitHub leaves a filter that it does not understand out, and answers with all.
        const own = answer.body.filter((item) => isOf(item, { branch, base, ...options }));
        found.push(...own.map(pullRequestOf));
        next = nextPage(answer.headers.get('link'));
      }
      return found.sort((a, b) => a.number - b.number);
    },
    async create(text) {
      const body = { ...text, head: branch, base };
      const answer = await gitHubRequest(options, { method: 'POST', path, body });
      if (answer.status !== 422) return pullRequestOf(answer.body);
      const said = saidBy(answer.body);
      if (/already exists/i.test(said)) return null;
      throw refused(said);
    },
    async update(number, change) {
      const answer = await gitHubRequest(options, {
        method: 'PATCH',
        path: `${path}/${number}`,
        body: change,
      });
      if (answer.status === 422) throw refused(saidBy(answer.body));
      return pullRequestOf(answer.body);
    },
  };
}

/** The address of `rel="next"` in a Link header (RFC 8288); `null` on the last page. */
function nextPage(link: string | null): string | null {
  for (const part of (link ?? '').split(/,\s*(?=<)/)) {
    const found = /^<([^>]+)>\s*;(.*)$/.exec(part.trim());
    if (found?.[1] !== undefined && /\brel="?next"?/.test(found[2] ?? '')) return found[1];
  }
  return null;
}

interface Wanted {
  repository: string;
  branch: string;
  base: string;
}

/** Whether a pull request is open and of the branch of this repository, and not of a fork's branch of the same name. */
function isOf(item: unknown, { repository, branch, base }: Wanted): boolean {
  const pull = item as {
    state?: unknown;
    head?: { ref?: unknown; repo?: { full_name?: unknown } | null };
    base?: { ref?: unknown; repo?: { full_name?: unknown } | null };
  } | null;
  // Of a repository that was renamed, both have the new name.
  const home = pull?.base?.repo?.full_name ?? repository;
  const from = pull?.head?.repo === null ? null : (pull?.head?.repo?.full_name ?? home);
  const { state = 'open', head, base: into } = pull ?? {};
  return (
    state === 'open' &&
    (head?.ref ?? branch) === branch &&
    (into?.ref ?? base) === base &&
    String(from).toLowerCase() === String(home).toLowerCase()
  );
}

function pullRequestOf(item: unknown): PullRequest {
  const { number, html_url, state, title, body } = (item ?? {}) as Record<string, unknown>;
  if (typeof number !== 'number') throw notUnderstood();
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return {
    number,
    url: text(html_url),
    state: state === 'closed' ? 'closed' : 'open',
    title: text(title),
    body: text(body),
  };
}

/** What GitHub says of a request that it refuses: the message, and those of its errors. */
function saidBy(body: unknown): string {
  const { message, errors } = (body ?? {}) as { message?: unknown; errors?: unknown };
  const texts = Array.isArray(errors) ? errors : [];
  const all = [
    message,
    ...texts.map((one) =>
      typeof one === 'string' ? one : (one?.message ?? `${one?.field} ${one?.code}`),
    ),
  ];
  return maskSecrets(all.filter((text) => typeof text === 'string').join(': ')).slice(
    0,
    MESSAGE_CHARACTERS_MAX,
  );
}

function refused(said: string): VkitError {
  return new VkitError('git_failed', `GitHub refuses the pull request: ${said}.`, {
    hint: 'Run the command again, after what GitHub says is mended.',
  });
}

function notUnderstood(): VkitError {
  return new VkitError('git_failed', 'What answers is not the API of GitHub.', {
    hint: 'Correct GITHUB_API_URL; without it vkit asks https://api.github.com.',
  });
}
