import { VkitError } from '../errors/index.js';
import { nearest } from '../util/levenshtein.js';
import type { FlagShape } from './normalise-argv.js';

/** What the command line offers and what was written, to explain an error of parsing. */
export type UsageContext = {
  /** The command as users write it: `keys generate`. */
  command: string;
  flags: Readonly<Record<string, FlagShape>>;
  args: Readonly<Record<string, { options?: readonly string[] | undefined }>>;
  argv: readonly string[];
};

/** The fields by which oclif's parser errors are told apart; its classes are not exported. */
type ParserError = Error & { flags?: unknown; args?: unknown; oclif?: unknown };

/** How oclif rewrites the message of an error that a flag's own parsing has thrown. */
const PARSE_FAILURE = /^Parsing --[\w-]+ \n\t(.*)\nSee more help with --help$/s;

/**
 * Turns what oclif's parser throws into a usage error, or `undefined` for any other error. Values
 * from the command line are never in it: any of them may be a password that was put in the wrong
 * place, so flags and arguments are named and values left out.
 */
export function toUsageError(error: unknown, context: UsageContext): VkitError | undefined {
  if (!(error instanceof Error)) return undefined;
  const inner = PARSE_FAILURE.exec(error.message)?.[1];
  if (error instanceof VkitError) {
    if (inner !== undefined) error.message = inner;
    return error;
  }
  if (inner === undefined && !('oclif' in error)) return undefined;
  const { flags, args } = error as ParserError;
  if (Array.isArray(flags)) return unknownFlag(String(flags[0]), context);
  if (Array.isArray(args)) return wrongArguments(args, context);
  const option = /^Expected --([\w-]+)=/.exec(error.message)?.[1];
  if (option !== undefined) return wrongOption(option, context);
  if (/^Expected .* to be one of: /s.test(error.message)) return wrongArgument(context);
  return new VkitError('usage', sentence(withoutValues(inner ?? error.message, context)), {
    hint: helpHint(context),
  });
}

function unknownFlag(word: string, context: UsageContext): VkitError {
  // Only the name, and of a short flag only its letter: `-phunter2` is a password.
  const written = word.startsWith('--') ? (word.split('=')[0] ?? '--') : word.slice(0, 2);
  const names = Object.entries(context.flags).flatMap(([name, flag]) =>
    flag.allowNo ? [name, `no-${name}`] : [name],
  );
  const near = nearest(written.replace(/^-+/, '').replaceAll('_', '-'), names);
  return new VkitError('usage', `vkit ${context.command} has no flag ${written}.`, {
    hint: near === undefined ? helpHint(context) : `Did you mean --${near}?`,
    details: near === undefined ? { flag: written } : { flag: written, suggestion: `--${near}` },
  });
}

function wrongArguments(args: readonly unknown[], context: UsageContext): VkitError {
  const missing = args.flatMap((arg) =>
    typeof arg === 'object' && arg !== null && 'name' in arg ? [String(arg.name)] : [],
  );
  if (missing.length > 0) {
    const names = missing.map((name) => name.toUpperCase()).join(' ');
    return new VkitError('usage', `vkit ${context.command} needs ${names}.`, {
      hint: helpHint(context),
      details: { missing },
    });
  }
  const count = Object.keys(context.args).length;
  const takes = count === 0 ? 'no argument' : count === 1 ? 'one argument' : `${count} arguments`;
  return new VkitError('usage', `vkit ${context.command} takes ${takes}, and more were given.`, {
    hint: helpHint(context),
  });
}

function wrongOption(name: string, context: UsageContext): VkitError {
  const options = context.flags[name]?.options ?? [];
  return new VkitError('usage', `The flag --${name} does not take this value.`, {
    hint: `It takes one of: ${options.join(', ')}.`,
    details: { flag: `--${name}`, options },
  });
}

function wrongArgument(context: UsageContext): VkitError {
  const choices = Object.entries(context.args)
    .filter(([, arg]) => arg.options !== undefined)
    .map(([name, arg]) => `${name.toUpperCase()} is one of: ${arg.options?.join(', ')}.`);
  return new VkitError('usage', `An argument of vkit ${context.command} is not one it takes.`, {
    hint: choices.join(' '),
  });
}

/** The message without any word from the command line that is not the name of a known flag. */
export function withoutValues(message: string, context: UsageContext): string {
  const known = new Set(
    Object.keys(context.flags).flatMap((name) => [`--${name}`, `--no-${name}`]),
  );
  const values = context.argv
    .flatMap((word) => {
      const [name = '', ...rest] = word.split('=');
      return known.has(name) ? [rest.join('=')] : [word, ...rest];
    })
    .filter((value) => value !== '')
    .sort((a, b) => b.length - a.length);
  // The parser writes `--flag=value cannot also be …`, where the value may be a parsed form.
  let text = message.replace(/(--[\w-]+)=.*?(?= cannot also be provided)/gs, '$1');
  for (const value of values) text = text.replace(wordPattern(value), '…');
  return text;
}

/** A short value is replaced where it stands alone, or it would be cut out of ordinary words. */
function wordPattern(value: string): RegExp {
  const literal = value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return value.length > 3
    ? new RegExp(literal, 'g')
    : new RegExp(`(?<![\\w-])${literal}(?![\\w-])`, 'g');
}

function sentence(message: string): string {
  const text = message
    .replace(/\nSee more help with --help$/, '')
    .replace(/^The following errors? occurred:\s*/, '')
    .split('\n')
    .map((line) => line.trim())
    .join(' ');
  return /[.?!…]$/.test(text) ? text : `${text}.`;
}

function helpHint(context: UsageContext): string {
  return `Run: vkit ${context.command} --help`;
}
