import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { goldenFiles } from '../../scripts/golden.mjs';
import { manifestOf } from '../../scripts/manifest.mjs';
import { packageRoot } from '../../src/util/package-root.js';

const golden = join(packageRoot(), 'test', 'golden');

it('help and the list of commands are as reviewed (npm run golden rewrites)', async () => {
  expect(inject('buildError')).toBe('');
  const now = await goldenFiles();
  const kept: Record<string, string> = {};
  for (const path of [
    'commands.txt',
    ...(await readdir(join(golden, 'help'))).map((n) => `help/${n}`),
  ]) {
    kept[path] = await readFile(join(golden, path), 'utf8');
  }
  expect(now).toEqual(kept);
});

it('the committed manifest is the one of these commands', async () => {
  const table = join(packageRoot(), 'dist', 'commands.js');
  expect(await manifestOf(packageRoot(), table)).toBe(inject('manifestBefore'));
});
