// `npm run demo`: builds what is not built yet, then tells the story.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
if (!existsSync(join(root, 'dist', 'cli.js'))) await build({ clean: true });
const args = [join(root, 'bin', 'run.js'), 'demo', ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { stdio: 'inherit' });
child.on('close', (code) => {
  process.exitCode = code ?? 1;
});
