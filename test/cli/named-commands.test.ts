import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** Where a text means a command and not the program: in backquotes, after what introduces a line to paste, in a shell's lines. */
const QUOTED = /`vkit ([^`"$\n]+)`/g;
const INTRODUCED = /(?:[a-z]: |— or: |Next: )vkit ([a-z][a-z -]*)/g;
const SHELL = /^```sh\n(.*?)^```/gms;
const SHELL_LINE = /(?:^|\| |\$\(|\w+=\S+ )vkit ([a-z][^\n|)]*)/gm;

function commandsNamed(text: string): string[][] {
  const shells = [...text.matchAll(SHELL)].map(([, lines = '']) => lines).join('\n');
  const found = [
    ...text.matchAll(QUOTED),
    ...text.matchAll(INTRODUCED),
    ...shells.matchAll(SHELL_LINE),
  ];
  const words = found.map(([, written = '']) => written.split(/[ ,;'.]/));
  const plain = words.map((line) => {
    const end = line.findIndex((word) => !/^[a-z][a-z-]*$/.test(word));
    return end < 0 ? line : line.slice(0, end);
  });
  return plain.filter((line) => line.length > 0);
}

it('names no command in a page or a hint that does not exist', async () => {
  const manifest = JSON.parse(await readFile(join(ROOT, 'oclif.manifest.json'), 'utf8'));
  const ids = new Set(Object.keys(manifest.commands));
  const { stdout } = await promisify(execFile)(
    'git',
    ['ls-files', 'README.md', 'CONTRIBUTING.md', 'docs', 'src', 'lib'],
    { cwd: ROOT },
  );
  const files = stdout.split('\n').filter((path) => /\.(md|ts|yaml)$/.test(path));
  const unknown: string[] = [];
  let seen = 0;
  for (const path of files) {
    // A file that is listed and gone is one that somebody removes at this moment.
    const text = await readFile(join(ROOT, path), 'utf8').catch(() => '');
    for (const words of commandsNamed(text)) {
      const exists = words.some((_, index) => ids.has(words.slice(0, index + 1).join(':')));
      const topic = [...ids].some((id) => id.startsWith(`${words.join(':')}:`));
      seen += 1;
      if (!exists && !topic) unknown.push(`${path}: vkit ${words.join(' ')}`);
    }
  }
  expect(seen).toBeGreaterThan(100);
  expect(unknown).toEqual([]);
});
