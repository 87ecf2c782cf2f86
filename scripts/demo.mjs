// `npm run demo`: builds, so that the story told is that of the sources as they are, then tells it.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
await build({ clean: true });
const args = [join(root, 'bin', 'run.js'), 'demo', ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { stdio: 'inherit' });
child.on('close', (code) => {
  process.exitCode = code ?? 1;
});
