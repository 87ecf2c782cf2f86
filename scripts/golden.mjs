// Rewrites test/golden/help and test/golden/commands.txt: what users see of every command. The tests
// compare, so that a change of the public surface is seen in review.
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/**
 * The golden files, by path under test/golden, as the built command line makes them now.
 * @returns {Promise<Record<string, string>>}
 */
export async function goldenFiles() {
  const manifest = JSON.parse(await readFile(join(root, 'oclif.manifest.json'), 'utf8'));
  const ids = Object.keys(manifest.commands);
  /** @type {Record<string, string>} */
  const files = { 'commands.txt': ids.map((id) => `${id.replaceAll(':', ' ')}\n`).join('') };
  files['help/vkit.txt'] = await helpOf([]);
  for (const id of ids) files[`help/${id.replaceAll(':', '-')}.txt`] = await helpOf(id.split(':'));
  return files;
}

/** @param {string[]} words */
async function helpOf(words) {
  const { PATH, HOME } = process.env;
  const args = [join(root, 'bin', 'run.js'), ...words, '--help'];
  const env = { PATH, HOME, COLUMNS: '100', NO_COLOR: '1' };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  // The version line names the machine.
  return stdout.replace(/^ {2}vkit\/\S+ \S+ \S+$/m, '  vkit/VERSION');
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const folder = join(root, 'test', 'golden');
  await rm(join(folder, 'help'), { recursive: true, force: true });
  for (const [path, text] of Object.entries(await goldenFiles())) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}
