import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';
import { packageRoot } from '../../src/util/package-root.js';
import type { Operation } from './killed-command.js';

/** Below the package, so that it finds its files; ignored by Git like everything there. */
const PROGRAM = join(packageRoot(), `node_modules/.cache/vkit-test/killed-${process.pid}.mjs`);

/** Bundles `killed-command.ts`, which starts in a third of the time that way, and returns where it is. */
export async function buildKilledProgram(): Promise<string> {
  await build({
    entryPoints: [join(packageRoot(), 'test/packs/killed-command.ts')],
    outfile: PROGRAM,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['pg', 'pg-native', 'pg-cursor', 'mysql2', '@photostructure/sqlite', 'node:sqlite'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'silent',
  });
  return PROGRAM;
}

/** The moment at which all of them happen. */
export const NOW = new Date('2026-03-01T09:00:00Z');

/** Runs an operation, killed in place of its n-th change. True where it came to its end before. */
export function runKilled(
  operation: Operation,
  root: string,
  reference: string,
  killAt: number,
): Promise<boolean> {
  const args = [PROGRAM, operation, root, reference, NOW.toISOString(), String(killAt)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (signal === 'SIGKILL' || code === 0) resolve(code === 0);
      else reject(new Error(errors));
    });
  });
}
