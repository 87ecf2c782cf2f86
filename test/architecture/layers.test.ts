import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package-root.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';
import config from './depcruise.config.mjs';
import { mayImport } from './layers.mjs';

/** The broken rules of a tree, each as `rule: from -> to`. */
async function violations(baseDir: string): Promise<string[]> {
  const ruleSet = { forbidden: config.forbidden };
  const { output } = await cruise(['src'], { ...config.options, baseDir, ruleSet, validate: true });
  return (output as ICruiseResult).summary.violations.map(
    ({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`,
  );
}

async function writeTree(files: Record<string, string>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

async function sources(under: string): Promise<{ file: string; text: string }[]> {
  const folder = join(packageRoot(), under);
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const files = names.filter((name) => name.endsWith('.ts'));
  return Promise.all(
    files.map(async (file) => ({ file, text: await readFile(join(folder, file), 'utf8') })),
  );
}

describe('the layers of src', () => {
  it('hold', { timeout: 60_000 }, async () => {
    expect(await violations(packageRoot())).toEqual([]);
  });

  it('have no room that the table does not list', async () => {
    const entries = await readdir(join(packageRoot(), 'src'));
    expect(entries.filter((entry) => !(entry in mayImport))).toEqual([]);
  });

  it.each([
    ['layer-policy', 'src/policy/a.ts', "import '../store/b.js';", 'src/store/b.ts'],
    ['layer-store', 'src/store/a.ts', "import '../vault/b.js';", 'src/vault/b.ts'],
    ['layer-services', 'src/services/a.ts', "import '../server/b.js';", 'src/server/b.ts'],
    ['layer-audit', 'src/audit/a.ts', "import './sinks/b.js';", 'src/audit/sinks/b.ts'],
    ['layer-errors', 'src/errors/a.ts', "import '../policy/b.js';", 'src/policy/b.ts'],
    ['core-is-pure', 'src/masking/a.ts', "import 'node:fs';", 'src/masking/b.ts'],
    ['only-owner-oclif', 'src/services/a.ts', "import '@oclif/core';", 'src/services/b.ts'],
    ['only-owner-database-packages', 'src/project/a.ts', "import 'pg';", 'src/project/b.ts'],
    ['no-unlisted-folder', 'src/app.ts', "import './helpers/b.js';", 'src/helpers/b.ts'],
    [
      'driver-only-when-used',
      'src/engines/index.ts',
      "import './pg/driver.js';",
      'src/engines/pg/driver.ts',
    ],
    ['engines-are-strangers', 'src/engines/pg/a.ts', "import '../my/b.js';", 'src/engines/my/b.ts'],
  ])('refuse what breaks %s', async (name, from, code, to) => {
    const folder = await writeTree({ [from]: `${code}\n`, [to]: 'export const b = 1;\n' });
    const broken = await violations(folder);
    expect(broken.filter((violation) => violation.startsWith(`${name}: ${from}`))).toHaveLength(1);
  });

  it('let a driver be loaded by import()', async () => {
    const folder = await writeTree({
      'src/engines/index.ts': "export const open = () => import('./pg/driver.js');\n",
      'src/engines/pg/driver.ts': 'export const b = 1;\n',
    });
    expect(await violations(folder)).toEqual([]);
  });

  it('see a cycle', async () => {
    const folder = await writeTree({
      'src/policy/a.ts': "import type { B } from './b.js';\nexport type A = B;\n",
      'src/policy/b.ts': "import type { A } from './a.js';\nexport type B = A | 1;\n",
    });
    expect((await violations(folder)).join('\n')).toContain('no-cycle');
  });
});

describe('the source', () => {
  it('reads the environment only in src/config', async () => {
    const readers = (await sources('src'))
      .filter(({ text }) =>
        /process\s*\.\s*env\b|process\[|import .*\benv\b.* from 'node:process'/.test(text),
      )
      .map(({ file }) => file);
    // Snowflake's package is told by the environment alone what it must not do.
    const writer = 'engines/snowflake/driver.ts';
    expect(readers.filter((file) => !file.startsWith('config/') && file !== writer)).toEqual([]);
    const uses = (await readFile(join(packageRoot(), 'src', writer), 'utf8')).match(
      /process\.env.*/g,
    );
    for (const use of uses ?? []) expect(use).toMatch(/^process\.env\.\w+ = (?:'true'|nowhere);$/);
  });

  it.each(['policy', 'bundle', 'aql', 'masking', 'schema', 'grants', 'audit'])(
    'of %s gets clock and chance as arguments',
    async (room) => {
      const impure =
        /Date\.now|new Date\(\)|Math\.random|performance\.now|set(Timeout|Interval)|randomBytes|randomUUID/;
      const files = (await sources(`src/${room}`)).filter(({ file }) => !file.startsWith('sinks/'));
      expect(files.filter(({ text }) => impure.test(text)).map(({ file }) => file)).toEqual([]);
    },
  );
});
