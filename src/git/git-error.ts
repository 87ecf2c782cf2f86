import { VkitError } from '../errors/index.js';
import { maskSecrets } from '../util/mask-secrets.js';

/** What Git says in English, and what it means; the first that fits. */
const MEANINGS: readonly {
  pattern: RegExp;
  code: ConstructorParameters<typeof VkitError>[0];
  message: string;
  hint: string;
}[] = [
  {
    pattern: /ENOENT/,
    code: 'dependency_missing',
    message: 'Git is not installed, or not on the PATH.',
    hint: 'Install Git 2.29 or newer: https://git-scm.com/downloads',
  },
  {
    pattern: /dubious ownership/,
    code: 'git_failed',
    message: 'Git refuses the repository: it belongs to another user.',
    hint: 'This says that it may be used: git config --global --add safe.directory FOLDER',
  },
  {
    pattern:
      /stale info|\[rejected\]|cannot lock ref|failed to update ref|already exists\)|incorrect old value|couldn't find remote ref/,
    code: 'conflict',
    message: 'The branch of the remote was changed meanwhile.',
    hint: 'Run the command again; it begins with what is there now.',
  },
  {
    pattern:
      /Authentication failed|could not read (Username|Password)|terminal prompts disabled|Permission denied \(|error: 401/,
    code: 'unauthenticated',
    message: 'The remote does not accept who asks.',
    hint: 'Give Git a login for it, or set GITHUB_TOKEN to a token that may write its contents.',
  },
  {
    pattern: /error: 403|Permission to .+ denied|\[remote rejected\]/i,
    code: 'forbidden',
    message: 'The remote does not allow the branch to be written.',
    hint: 'The login has to be one that may write contents, and no rule of the repository may forbid it.',
  },
  {
    pattern: /repository not found|repository '.*' not found/i,
    code: 'not_found',
    message: 'The remote shows no such repository to who asks.',
    hint: 'Is its address right (git remote --verbose), and may the login read its contents?',
  },
];

/** How much of what the remote said is worth showing. */
const REMOTE_CHARACTERS_MAX = 300;

/** What a remote says of its own work, whatever comes of it. */
const PROGRESS = /^(Enumerating|Counting|Compressing|Total|Resolving|Processed|Unpacking)\b/;

/** A failure of Git as an error that says what to do; an address with a login in it stays out. */
export function gitError(cause: unknown, args: readonly string[]): VkitError {
  const text = cause instanceof Error ? cause.message : '';
  const verb = args.find((arg) => /^[a-z-]+$/.test(arg)) ?? '';
  const { code, message, hint } = MEANINGS.find(({ pattern }) => pattern.test(text)) ?? {
    code: 'git_failed',
    message: `Git could not do "git ${verb}".`,
    hint: 'Is the remote there and reachable? This says: git ls-remote',
  };
  const remote = remoteSays(text);
  return new VkitError(code, message, {
    hint: remote === '' ? hint : `${hint} The remote says: ${remote}`,
    cause,
  });
}

function remoteSays(text: string): string {
  const lines = text.split(/[\r\n]+/).flatMap((line) => /^remote: *(.*\S)/.exec(line)?.[1] ?? []);
  const said = lines.filter((line) => !PROGRESS.test(line)).join(' ');
  return maskSecrets(said).slice(0, REMOTE_CHARACTERS_MAX);
}
