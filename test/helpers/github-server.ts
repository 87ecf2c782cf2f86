import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { answerProblems, requestProblems, sampleOf } from './github-contract.js';

export interface FakePull {
  number: number;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  head: string;
  base: string;
  /** `OWNER/NAME` of the repository that has the head branch; null for a fork that is gone. */
  from: string | null;
}

interface Seen {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown> | undefined;
  authorization: string | undefined;
}

/** What is answered instead of what GitHub would; `cut` ends the connection, before or after the call was obeyed. */
export type Instead =
  | { status: number; headers?: Record<string, string>; body?: unknown }
  | { cut: 'before' | 'after' };

export interface GitHubServerOptions {
  token: string;
  /** `OWNER/NAME` */
  repository: string;
  /** A folder with bare repositories, `OWNER/NAME.git`, served below `/`. */
  gitFolder?: string;
  perPageMax?: number;
}

/**
 * A server that behaves as GitHub documents, for pull requests of one repository and for Git over HTTP. Each request, and
 * each answer of its own, is checked against GitHub's description of its API; `problems` says what did not fit.
 */
export class GitHubServer {
  readonly pulls: FakePull[] = [];
  readonly seen: Seen[] = [];
  readonly gitRequests: { url: string; authorized: boolean }[] = [];
  readonly problems: string[] = [];
  /** Whether it answers with every pull request, whatever is asked for. */
  ignoresFilters = false;
  /** Asked before each call. */
  instead: (seen: Seen) => Instead | undefined = () => undefined;
  url = '';
  readonly #options: GitHubServerOptions;
  readonly #server: Server;

  private constructor(options: GitHubServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        this.problems.push(String(error));
        response.destroy();
      });
    });
  }

  static async start(options: GitHubServerOptions): Promise<GitHubServer> {
    const server = new GitHubServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    server.url = `http://127.0.0.1:${(server.#server.address() as AddressInfo).port}`;
    onTestFinished(async () => {
      server.#server.closeAllConnections();
      await new Promise((resolve) => server.#server.close(resolve));
    });
    return server;
  }

  get open(): FakePull[] {
    return this.pulls.filter(({ state }) => state === 'open');
  }

  addPull(pull: Partial<FakePull>): FakePull {
    const added: FakePull = {
      number: this.pulls.length + 1,
      title: 'Something',
      body: null,
      state: 'open',
      head: 'vkit/drift',
      base: 'main',
      from: this.#options.repository,
      ...pull,
    };
    this.pulls.push(added);
    return added;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    if (url.pathname.startsWith('/api/')) await this.#answerApi(request, response, url);
    else this.#answerGit(request, response, url);
  }

  async #answerApi(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const seen: Seen = {
      method: request.method ?? '',
      path: url.pathname.slice('/api'.length),
      query: url.searchParams,
      body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>),
      authorization: request.headers.authorization,
    };
    this.seen.push(seen);
    for (const [name, wanted] of [
      ['accept', 'application/vnd.github+json'],
      ['x-github-api-version', '2022-11-28'],
    ] as const) {
      if (request.headers[name] !== wanted) this.problems.push(`${name} is not ${wanted}`);
    }
    const instead = this.instead(seen);
    if (instead !== undefined && 'cut' in instead) {
      if (instead.cut === 'after') this.#obey(seen);
      response.socket?.destroy();
      return;
    }
    const answer = instead ?? this.#obey(seen);
    const described = { path: templateOf(seen.path), method: seen.method };
    if (answer.status < 500 && described.path !== '') {
      const problems = answerProblems(described, { status: answer.status, body: answer.body });
      this.problems.push(...problems.map((one) => `answer ${answer.status}: ${one}`));
    }
    const headers = { 'content-type': 'application/json; charset=utf-8', ...answer.headers };
    response.writeHead(answer.status, headers).end(JSON.stringify(answer.body ?? {}));
  }

  #obey(seen: Seen): { status: number; body: unknown; headers?: Record<string, string> } {
    const { token, repository } = this.#options;
    const { method, path, query, body } = seen;
    if (seen.authorization !== `Bearer ${token}`) {
      return { status: 401, body: { message: 'Bad credentials', status: '401' } };
    }
    const template = templateOf(path);
    if (template === '' || !path.startsWith(`/repos/${repository}/`)) {
      return { status: 404, body: { message: 'Not Found', status: '404' } };
    }
    const described = { path: template, method };
    this.problems.push(
      ...requestProblems(described, { query, body }).map((one) => `${method} ${path}: ${one}`),
    );
    if (method === 'GET') return this.#list(query);
    if (method === 'POST') return this.#create(body ?? {});
    return this.#change(Number(path.split('/').at(-1)), body ?? {});
  }

  #list(query: URLSearchParams): {
    status: number;
    body: unknown;
    headers: Record<string, string>;
  } {
    const [owner, branch] = (query.get('head') ?? ':').split(/:(.*)/s);
    const found = this.pulls.filter(
      ({ state, head, base, from }) =>
        this.ignoresFilters ||
        ((query.get('state') === 'all' || state === (query.get('state') ?? 'open')) &&
          base === (query.get('base') ?? base) &&
          (!query.has('head') || (head === branch && (from ?? '').split('/')[0] === owner))),
    );
    if (query.get('direction') !== 'asc') found.reverse();
    const perPage = Math.min(Number(query.get('per_page') ?? 30), this.#options.perPageMax ?? 100);
    const page = Number(query.get('page') ?? 1);
    const more = found.length > page * perPage;
    const next = new URLSearchParams(query);
    next.set('page', String(page + 1));
    const address = `${this.url}/api/repos/${this.#options.repository}/pulls`;
    return {
      status: 200,
      body: found
        .slice((page - 1) * perPage, page * perPage)
        .map((pull) => this.#shown(pull, 'pull-request-simple')),
      headers: more
        ? { link: `<${address}?${next}>; rel="next", <${address}?${query}&page=9>; rel="last"` }
        : {},
    };
  }

  #create(body: Record<string, unknown>): { status: number; body: unknown } {
    const { title, head, base, body: text } = body as Record<string, string>;
    const { repository } = this.#options;
    const same = this.open.some((pull) => pull.head === head && pull.base === base);
    if (same) {
      const message = `A pull request already exists for ${repository.split('/')[0]}:${head}.`;
      return invalid({ resource: 'PullRequest', code: 'custom', message });
    }
    if ((text ?? '').length > 65_536) {
      return invalid({
        resource: 'PullRequest',
        field: 'body',
        code: 'custom',
        message: 'body is too long (maximum is 65536 characters)',
      });
    }
    const pull = this.addPull({
      title: title ?? '',
      head: head ?? '',
      base: base ?? '',
      body: text ?? null,
    });
    return { status: 201, body: this.#shown(pull, 'pull-request') };
  }

  #change(number: number, body: Record<string, unknown>): { status: number; body: unknown } {
    const pull = this.pulls.find((one) => one.number === number);
    if (pull === undefined) return { status: 404, body: { message: 'Not Found' } };
    Object.assign(pull, body);
    return { status: 200, body: this.#shown(pull, 'pull-request') };
  }

  #shown({ number, title, body, state, head, base, from }: FakePull, schema: string): object {
    const whole = sampleOf(schema) as { head: object; base: object };
    const home = { ...(sampleOf('repository') as object), full_name: this.#options.repository };
    return {
      ...whole,
      number,
      title,
      body,
      state,
      html_url: `${this.url}/${this.#options.repository}/pull/${number}`,
      head: {
        ...whole.head,
        ref: head,
        repo: from === null ? null : { ...home, full_name: from },
      },
      base: { ...whole.base, ref: base, repo: home },
    };
  }

  /** Git's own HTTP server; whoever writes needs the token, as at GitHub. */
  #answerGit(request: IncomingMessage, response: ServerResponse, url: URL): void {
    const basic = `Basic ${Buffer.from(`x-access-token:${this.#options.token}`).toString('base64')}`;
    const authorized = request.headers.authorization === basic;
    this.gitRequests.push({ url: url.pathname, authorized });
    if (request.headers.authorization !== undefined && !authorized) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="GitHub"' }).end();
      return;
    }
    const writes = url.href.includes('git-receive-pack');
    if (writes && !authorized) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="GitHub"' }).end();
      return;
    }
    const child = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env.PATH,
        GIT_PROJECT_ROOT: this.#options.gitFolder,
        GIT_HTTP_EXPORT_ALL: '1',
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'safe.directory',
        GIT_CONFIG_VALUE_0: '*',
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
        ...(authorized ? { REMOTE_USER: 'x-access-token' } : {}),
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    request.pipe(child.stdin);
    child.stdin.on('error', () => undefined); // It answered without reading everything.
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('close', () => {
      const output = Buffer.concat(chunks);
      const end = output.indexOf('\r\n\r\n');
      const headers = Object.fromEntries(
        output
          .subarray(0, end)
          .toString('latin1')
          .split('\r\n')
          .map((line) => line.split(/: (.*)/s).slice(0, 2)),
      ) as Record<string, string>;
      const { Status: status = '200 OK', ...rest } = headers;
      response.writeHead(Number(status.slice(0, 3)), rest).end(output.subarray(end + 4));
    });
  }
}

function templateOf(path: string): string {
  if (/^\/repos\/[^/]+\/[^/]+\/pulls$/.test(path)) return '/repos/{owner}/{repo}/pulls';
  if (/^\/repos\/[^/]+\/[^/]+\/pulls\/\d+$/.test(path)) {
    return '/repos/{owner}/{repo}/pulls/{pull_number}';
  }
  return '';
}

function invalid(error: object): { status: number; body: unknown } {
  return {
    status: 422,
    body: {
      message: 'Validation Failed',
      errors: [error],
      documentation_url: 'https://docs.github.com/rest/pulls/pulls#create-a-pull-request',
    },
  };
}
