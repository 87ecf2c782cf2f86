// A process that works on a project's packs and kills itself at the n-th change of the file system. Run by killed.test.ts.
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { addPack } from '../../src/services/add-pack.js';
import { listPacks } from '../../src/services/list-packs.js';
import { removeInstalledPack } from '../../src/services/remove-pack.js';
import { upgradePacks } from '../../src/services/upgrade-packs.js';

export type Operation = 'add' | 'upgrade' | 'remove' | 'list';

const [operation, root = '', reference = '', now = '', killAt = ''] = process.argv.slice(2);
let left = Number(killAt);

function isDue(): boolean {
  left -= 1;
  return left === 0;
}

/** SIGKILL, which nothing can catch or clean up after. */
function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('The process outlived SIGKILL.');
}

function dieInsteadOf<A extends unknown[], R>(change: (...args: A) => R): (...args: A) => R {
  return (...args) => (isDue() ? die() : change(...args));
}

// Not counted: fsync and chmod. Whoever is killed there leaves what it leaves when killed at the next change.
const { open, writeFile } = fs;
fs.open = (...args) => (args[1] !== 'r' && isDue() ? die() : open(...args));
fs.writeFile = async (file, data, options) => {
  if (!isDue()) return writeFile(file, data, options);
  // Half of the content is on disk, as after a kill in the middle.
  const bytes = Buffer.from(data as string | Uint8Array);
  await writeFile(file, bytes.subarray(0, bytes.length >> 1), options);
  die();
};
fs.rename = dieInsteadOf(fs.rename);
fs.link = dieInsteadOf(fs.link);
fs.unlink = dieInsteadOf(fs.unlink);
fs.rm = dieInsteadOf(fs.rm);
fs.mkdir = dieInsteadOf(fs.mkdir) as typeof fs.mkdir;
// The names that modules imported are the functions above from here on.
syncBuiltinESMExports();

const input = { root, reference, cwd: root, now: new Date(now) };
const operations: Record<Operation, () => Promise<unknown>> = {
  add: () => addPack(input),
  upgrade: () => upgradePacks(input),
  remove: () => removeInstalledPack({ ...input, name: 'mine' }),
  list: () => listPacks(input),
};
await operations[operation as Operation]();
