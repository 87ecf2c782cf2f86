import { VkitError } from '../errors/index.js';
import { nearest } from '../util/levenshtein.js';

/** What the words before the first flag name. */
export type Resolved =
  | { kind: 'command'; id: string; argv: string[] }
  | { kind: 'topic'; id: string; argv: string[] }
  | { kind: 'unknown'; error: VkitError };

/** Deeper than any command is (`policy pack add`). */
const WORDS_MAX = 6;

/**
 * Finds the command that a command line names: the longest run of leading words that is an id, with
 * spaces or colons between them. The rest are its flags and arguments. Words after an unknown one are
 * never repeated: they may be anything, a password too.
 */
export function resolveCommand(argv: readonly string[], ids: readonly string[]): Resolved {
  const words = leadingWords(argv);
  for (let count = words.length; count > 0; count -= 1) {
    const id = words.slice(0, count).join(':');
    if (ids.includes(id)) return { kind: 'command', id, argv: argv.slice(wordsUsed(argv, count)) };
  }
  const id = words.join(':');
  if (id !== '' && ids.some((known) => known.startsWith(`${id}:`))) {
    return { kind: 'topic', id, argv: argv.slice(wordsUsed(argv, words.length)) };
  }
  return { kind: 'unknown', error: unknownCommand(words, ids) };
}

function leadingWords(argv: readonly string[]): string[] {
  const words: string[] = [];
  for (const word of argv.slice(0, WORDS_MAX)) {
    if (word.startsWith('-') || word === '') break;
    words.push(...word.split(':'));
  }
  return words;
}

/** How many arguments hold the first `count` words; one argument can hold several, with colons. */
function wordsUsed(argv: readonly string[], count: number): number {
  let words = 0;
  let used = 0;
  while (words < count) {
    words += (argv[used] ?? '').split(':').length;
    used += 1;
  }
  return used;
}

function unknownCommand(words: readonly string[], ids: readonly string[]): VkitError {
  const known = words.findIndex((_, index) => !isPrefix(words.slice(0, index + 1), ids));
  const written = words.slice(0, (known === -1 ? words.length : known) + 1).join(' ');
  if (written === '') {
    return new VkitError('usage', 'A flag stands where the command should be.', {
      hint: 'Write the command first: vkit COMMAND [FLAGS]. Run: vkit --help',
    });
  }
  const near = suggest(words, ids);
  return new VkitError('usage', `vkit has no command "${written}".`, {
    hint: near === undefined ? 'Run: vkit --help' : `Did you mean: vkit ${near}`,
    ...(near === undefined ? {} : { details: { suggestion: near } }),
  });
}

function isPrefix(words: readonly string[], ids: readonly string[]): boolean {
  const id = words.join(':');
  return ids.some((known) => known === id || known.startsWith(`${id}:`));
}

/** The nearest command or topic to the first words, tried with as many words as it has. */
function suggest(words: readonly string[], ids: readonly string[]): string | undefined {
  const candidates = new Set(ids.flatMap((id) => prefixes(id)));
  for (let count = words.length; count > 0; count -= 1) {
    const near = nearest(words.slice(0, count).join(' '), candidates);
    if (near !== undefined) return near;
  }
  return undefined;
}

function prefixes(id: string): string[] {
  const words = id.split(':');
  return words.map((_, index) => words.slice(0, index + 1).join(' '));
}
