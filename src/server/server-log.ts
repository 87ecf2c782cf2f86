import type { Writable } from 'node:stream';
import type { FastifyServerOptions } from 'fastify';
import { VkitError } from '../errors/index.js';
import { maskSecrets } from '../util/mask-secrets.js';

/** Errors of the language itself say what a program did wrong; any other message may quote what it was working on. */
const QUOTING_NOTHING = new Set(['TypeError', 'RangeError', 'ReferenceError']);
const FRAMES_MAX = 20;
const CAUSES_MAX = 5;

/** What of an error may stand in a log. */
export interface LoggedError {
  name: string;
  code?: string;
  message?: string;
  stack?: readonly string[];
  cause?: LoggedError;
}

/**
 * An error for the operator's log: its code, where it came from, and its sentence where vkit wrote it. What a database, a
 * parser or a driver says is left out: it may quote a row, a filter or a password.
 */
export function loggedError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { name: typeof error };
  const { name, cause } = error;
  const code = (error as { code?: unknown }).code;
  const isOwn = error instanceof VkitError;
  const stack = framesOf(error);
  return {
    name,
    ...(typeof code === 'string' && /^\w{1,64}$/.test(code) ? { code } : {}),
    ...(isOwn || QUOTING_NOTHING.has(name) ? { message: maskSecrets(error.message) } : {}),
    ...(stack.length > 0 ? { stack } : {}),
    ...(cause instanceof Error && depth < CAUSES_MAX
      ? { cause: loggedError(cause, depth + 1) }
      : {}),
  };
}

/** The lines of a stack that name places; the message, which stands above them, may have lines of its own. */
function framesOf({ stack = '', message }: Error): string[] {
  const below = stack.includes(message) ? stack.slice(stack.indexOf(message) + message.length) : '';
  return below
    .split('\n')
    .filter((line) => /^\s+at .*(:\d+:\d+\)?|<anonymous>\)?)$/.test(line))
    .slice(0, FRAMES_MAX)
    .map((line) => line.trim());
}

export interface LogOptions {
  level: 'error' | 'warn' | 'info' | 'debug';
  /** stderr if absent: stdout is for what the command answers. */
  stream?: Writable;
}

/**
 * JSON lines with a level in words and a time in UTC. Nothing of a request stands in them but its correlation id, method,
 * route, status and time, and who made it; whatever logs an error or a request goes through the serialisers here.
 */
export function loggerOptions({
  level,
  stream = process.stderr,
}: LogOptions): Exclude<FastifyServerOptions['logger'], undefined> {
  return {
    level,
    stream,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: {
      err: loggedError,
      req: ({ method }: { method?: string }) => ({ method }),
      res: ({ statusCode }: { statusCode?: number }) => ({ status: statusCode }),
      // Fastify's types want an error's message and stack as texts, which is what is left out.
    } as never,
  };
}
