import { VkitError } from '../errors/index.js';

/** The part of an oclif flag definition that matters to how it is written on the command line. */
export type FlagShape = {
  type: 'boolean' | 'option';
  char?: string | undefined;
  allowNo?: boolean | undefined;
  aliases?: readonly string[] | undefined;
  options?: readonly string[] | undefined;
};

/**
 * Rewrites what users may write into what oclif parses: `--data_dir` becomes `--data-dir`,
 * `--activate=false` becomes `--no-activate`, `--activate=true` becomes `--activate`, and a boolean
 * set to false that has no negation is left out, false being what absence means. Only flags that the
 * command has are touched, so that a value which looks like a flag stays as it is; but `--format json` is `--json` also where
 * a command has no other format.
 */
export function normaliseArgv(
  argv: readonly string[],
  flags: Readonly<Record<string, FlagShape>>,
): string[] {
  const names = flagNames(flags);
  const result: string[] = [];
  const onlyJson = names.has('json') && !names.has('format');
  for (const [index, word] of argv.entries()) {
    if (word === '--') return [...result, ...argv.slice(index)];
    const isSecondWord = onlyJson && word === 'json' && argv[index - 1] === '--format';
    if (isSecondWord) result[result.length - 1] = '--json';
    else if (onlyJson && word === '--format=json') result.push('--json');
    else result.push(...normaliseWord(word, names));
  }
  return result;
}

function flagNames(flags: Readonly<Record<string, FlagShape>>): Map<string, FlagShape> {
  const names = new Map<string, FlagShape>();
  for (const [name, flag] of Object.entries(flags)) {
    for (const spelling of [name, ...(flag.aliases ?? [])]) names.set(spelling, flag);
  }
  return names;
}

function normaliseWord(word: string, names: ReadonlyMap<string, FlagShape>): string[] {
  const match = /^--([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(word);
  if (!match?.[1]) return [word];
  const written = match[1];
  const value = match[2];
  const name = names.has(written) ? written : written.replaceAll('_', '-');
  const positive = name.replace(/^no-/, '');
  const flag = names.get(name) ?? (names.get(positive)?.allowNo ? names.get(positive) : undefined);
  if (!flag) return [word];
  if (value === undefined) return [`--${name}`];
  if (flag.type === 'option') return [`--${name}=${value}`];
  return booleanWord(name, value, names);
}

function booleanWord(name: string, value: string, names: ReadonlyMap<string, FlagShape>): string[] {
  if (value !== 'true' && value !== 'false') {
    throw new VkitError('usage', `The flag --${name} takes no value but true or false.`);
  }
  if (value === 'true') return [`--${name}`];
  if (!names.has(name)) return [`--${name.replace(/^no-/, '')}`];
  return names.get(name)?.allowNo ? [`--no-${name}`] : [];
}
