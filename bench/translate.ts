// AQL to SQL beside Kysely compiling the same query: from JSON text to SQL and bound values on one side, from calls of the
// builder on the other. Bundled by esbuild, as vkit ships: what runs TypeScript as it is slows one side down.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { packageRoot } from '../src/util/package-root.js';

const folder = mkdtempSync(join(packageRoot(), 'bench', '.translate-'));
try {
  const outfile = join(folder, 'run.mjs');
  await build({
    entryPoints: [join(packageRoot(), 'bench/translate/run.ts')],
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    outfile,
    logLevel: 'error',
  });
  const { run } = (await import(pathToFileURL(outfile).href)) as { run: () => boolean };
  process.exitCode = run() ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
