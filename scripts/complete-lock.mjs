// A registry mirror may carry a package's builds for some platforms only. npm then leaves the others
// out of package-lock.json, and `npm ci` refuses that file. Run after `npm install`, this adds an
// entry for each build that is left out; npm skips it where it is not for the platform at hand.
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const CPU = ['arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64'];
const LIBC = { gnu: 'glibc', gnueabihf: 'glibc', musl: 'musl', musleabihf: 'musl' };

const file = join(dirname(fileURLToPath(import.meta.url)), '..', 'package-lock.json');
const lock = JSON.parse(await readFile(file, 'utf8'));

let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const known =
      lock.packages[`node_modules/${name}`] ?? lock.packages[`${path}/node_modules/${name}`];
    if (known) continue;
    lock.packages[`node_modules/${name}`] = platformEntry(name, version, entry);
    added += 1;
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)),
);
await writeFile(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`Added ${added} packages of other platforms.`);

/**
 * @param {string} name the platform stands at its end: `@biomejs/cli-linux-x64-musl`
 * @param {string} version
 * @param {{ dev?: boolean }} parent
 */
function platformEntry(name, version, parent) {
  const parts = name.split(/[-/]/);
  const os = OS.find((known) => parts.includes(known));
  const cpu = CPU.find((known) => parts.includes(known));
  const libc = Object.entries(LIBC).find(([suffix]) => parts.includes(suffix))?.[1];
  if (!os || !cpu || !/^\d/.test(version)) throw new Error(`${name}@${version} names no platform.`);
  return {
    version,
    cpu: [cpu],
    ...(parent.dev ? { dev: true } : {}),
    ...(libc ? { libc: [libc] } : {}),
    optional: true,
    os: [os],
  };
}
