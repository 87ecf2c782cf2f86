import { writeSync } from 'node:fs';
import { readEnvironment } from '../config/env.js';
import { formatProblem, type Problem, VkitError } from '../errors/index.js';
import { escapeTerminal, escapeTerminalLines } from '../util/escape.js';
import { maskSecrets, maskSecretsIn } from '../util/mask-secrets.js';
import { coloursFor } from './colours.js';

/** The one document that a failing command prints on stdout under `--json`. */
export type ErrorDocument = {
  error: {
    code: string;
    message: string;
    hint: string | null;
    details: object | null;
    correlation_id: string | null;
  };
};

/**
 * What a secret was pasted into the place of, a key of a file or an id, comes back in no message: known forms are masked here.
 * Fields are named, never spread: an error object holds whatever its thrower put there. */
export function toErrorDocument(error: VkitError): ErrorDocument {
  const policy = error.policyId === undefined ? {} : { policy_id: error.policyId };
  const details = { ...policy, ...error.details };
  return {
    error: {
      code: error.code,
      message: maskSecrets(error.message),
      hint: error.hint === undefined ? null : maskSecrets(error.hint),
      details: Object.keys(details).length === 0 ? null : maskSecretsIn(details),
      correlation_id: error.correlationId ?? null,
    },
  };
}

/** Any thrown thing as a `VkitError`; what vkit did not throw on purpose is a bug, `internal`. */
export function toVkitError(error: unknown): VkitError {
  if (error instanceof VkitError) return error;
  if (error instanceof Error && error.name === 'ExitPromptError') {
    return new VkitError('interrupted', 'The question was not answered.', { cause: error });
  }
  // The message of a foreign error may quote anything, a connection string too: only VKIT_DEBUG
  // shows it, and only to who runs the command.
  return new VkitError('internal', 'vkit failed in a way it did not expect.', {
    hint: 'Run the command again with VKIT_DEBUG=1 to see where.',
    cause: error,
  });
}

/**
 * Prints an error and sets the exit code of its row: under `json` one document on stdout, otherwise
 * sentences on stderr. Written at once, since the process may be about to end.
 */
export function reportError(error: unknown, options: { json: boolean }): void {
  const known = toVkitError(error);
  process.exitCode = known.exitCode;
  if (options.json) write(1, `${JSON.stringify(toErrorDocument(known), null, 2)}\n`);
  else write(2, maskSecrets(formatError(known)));
  if (readEnvironment().debug)
    write(2, `${escapeTerminalLines(maskSecrets(formatStack(known)))}\n`);
}

function formatError(error: VkitError): string {
  const colours = coloursFor(process.stderr);
  const lines = [`${colours.red('Error:')} ${escapeTerminal(error.message)}`];
  for (const problem of problemsOf(error))
    lines.push(`  ${escapeTerminal(formatProblem(problem))}`);
  if (error.hint !== undefined) lines.push(colours.dim(escapeTerminal(error.hint)));
  if (error.correlationId !== undefined) {
    lines.push(colours.dim(`Correlation id: ${escapeTerminal(error.correlationId)}`));
  }
  return `${lines.join('\n')}\n`;
}

function problemsOf(error: VkitError): readonly Problem[] {
  return Array.isArray(error.details?.problems) ? error.details.problems : [];
}

/** More links than any honest chain of causes has. */
const CAUSES_MAX = 8;

function formatStack(error: VkitError): string {
  const stacks: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < CAUSES_MAX && current instanceof Error; depth += 1) {
    stacks.push(current.stack ?? current.message);
    current = current.cause;
  }
  return stacks.join('\nCaused by: ');
}

function write(descriptor: 1 | 2, text: string): void {
  try {
    writeSync(descriptor, text);
  } catch (error) {
    // The reader is gone (EPIPE) or its pipe is full (EAGAIN); for the latter the stream waits.
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
    (descriptor === 1 ? process.stdout : process.stderr).write(text);
  }
}
