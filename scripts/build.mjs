// Bundles src/ into dist/ and writes oclif.manifest.json. Few files, since loading many small ones is
// what makes a command line slow to start; code splitting, so that a command loads what it uses.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';
import { manifestOf } from './manifest.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');

/** Packages that stay outside: native, optional, or large and used by one command only. */
const EXTERNAL = [
  '@photostructure/sqlite',
  'node:sqlite',
  'pg',
  'pg-native',
  'pg-cursor',
  'pg-protocol',
  'mysql2',
  'snowflake-sdk',
  '@google-cloud/bigquery',
  'google-auth-library',
  '@aws-sdk/client-secrets-manager',
  '@opentelemetry/sdk-trace-node',
  '@opentelemetry/exporter-trace-otlp-http',
  'pino-pretty',
  // oclif looks for it to run a plugin's sources; vkit's command table makes that needless.
  'typescript',
];

/** CommonJS packages inside an ES module still call `require` and read `__dirname`. */
const BANNER = [
  "import { createRequire as __createRequire } from 'node:module';",
  "import { fileURLToPath as __fileURLToPath } from 'node:url';",
  "import { dirname as __dirnameOf } from 'node:path';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = __fileURLToPath(import.meta.url);',
  'const __dirname = __dirnameOf(__filename);',
].join('\n');

/**
 * Builds dist/ and the manifest. Files are replaced one by one and only when they differ, so a
 * command that is running meanwhile keeps working; `clean` also removes what the build no longer has, but for the types of the
 * package: scripts/build-types.mjs makes them, and cleans them itself.
 * @param {{ clean?: boolean }} [options]
 * @returns {Promise<void>}
 */
export async function build(options = {}) {
  const commands = await commandFiles();
  const result = await esbuild.build({
    absWorkingDir: root,
    entryPoints: entryPoints(),
    outdir: dist,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: EXTERNAL,
    define: { BUILD_ID: JSON.stringify(await digestOfSources()) },
    banner: { js: BANNER },
    chunkNames: 'chunks/[name]-[hash]',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    write: false,
    plugins: [generatedEntries(commands), leaveOut()],
    logLevel: 'silent',
  });
  const written = new Set();
  for (const file of result.outputFiles) {
    await replaceFile(file.path, Buffer.from(file.contents));
    written.add(file.path);
  }
  if (options.clean) await removeOthers(dist, written, join(dist, 'types'));
  const manifest = await manifestOf(root, join(dist, 'commands.js'));
  await replaceFile(join(root, 'oclif.manifest.json'), Buffer.from(manifest));
}

/**
 * What the build is made of, as one digest: anything kept from one run to the next is for the same build only.
 * @returns {Promise<string>}
 */
async function digestOfSources() {
  const hash = createHash('sha256');
  for (const folder of ['src', 'schemas']) {
    const names = await readdir(join(root, folder), { recursive: true });
    for (const name of names.filter((one) => /\.(ts|json)$/.test(one)).sort()) {
      hash.update(`${folder}/${name}\n`).update(await readFile(join(root, folder, name)));
    }
  }
  return hash.update(await readFile(join(root, 'package-lock.json'))).digest('hex');
}

/** @returns {Record<string, string>} */
function entryPoints() {
  const entries = /** @type {Record<string, string>} */ ({
    cli: 'generated:cli',
    commands: 'generated:commands',
  });
  const optional = { 'sqlite-child': 'src/engines/sqlite/child.ts', index: 'src/index.ts' };
  for (const [name, file] of Object.entries(optional)) {
    if (existsSync(join(root, file))) entries[name] = file;
  }
  return entries;
}

/**
 * The commands are the files of src/commands: `keys/generate.ts` is `keys:generate`. The table is
 * made here, so adding a command needs no edit; at run time no folder is scanned.
 * @returns {Promise<{ id: string, path: string }[]>}
 */
async function commandFiles() {
  const folder = join(root, 'src', 'commands');
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({
      id: name
        .replace(/\.ts$/, '')
        .split(sep)
        .filter((part) => part !== 'index')
        .join(':'),
      path: `./src/commands/${name.split(sep).join('/')}`,
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * @param {{ id: string, path: string }[]} commands
 * @returns {esbuild.Plugin}
 */
function generatedEntries(commands) {
  const lazy = commands.map(
    ({ id, path }) =>
      `${JSON.stringify(id)}: async () => (await import(${JSON.stringify(path)})).default,`,
  );
  const sources = {
    cli: `import { main } from './src/cli/main.ts';\nawait main(process.argv.slice(2), {${lazy.join('\n')}});`,
    commands: [
      ...commands.map(({ path }, index) => `import c${index} from ${JSON.stringify(path)};`),
      `export const COMMANDS = {${commands.map(({ id }, index) => `${JSON.stringify(id)}: c${index}`)}};`,
    ].join('\n'),
  };
  return {
    name: 'generated-entries',
    setup(setup) {
      setup.onResolve({ filter: /^generated:/ }, ({ path }) => ({
        path: path.slice('generated:'.length),
        namespace: 'generated',
      }));
      setup.onLoad({ filter: /.*/, namespace: 'generated' }, ({ path }) => ({
        contents: sources[/** @type {keyof typeof sources} */ (path)],
        loader: 'js',
        resolveDir: root,
      }));
    },
  };
}

/**
 * What oclif needs to find plugins and their commands on disk, which vkit's own table makes needless:
 * a third of the code that would be read at every start.
 */
const LEFT_OUT = /^(tinyglobby|minimatch|lilconfig|cli-spinners)$/;

/** On a terminal oclif makes a spinner when it is loaded, which vkit never starts; it looks its frames up by name. */
const SPINNERS = "{ dots2: { frames: ['.'] }, line: { frames: ['.'] } }";

/** @returns {esbuild.Plugin} */
function leaveOut() {
  return {
    name: 'leave-out',
    setup(setup) {
      setup.onResolve({ filter: LEFT_OUT }, ({ path, importer }) =>
        importer.includes(join('@oclif', 'core')) ? { path, namespace: 'left-out' } : undefined,
      );
      setup.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
        contents: `module.exports = ${path === 'cli-spinners' ? SPINNERS : '{}'};`,
      }));
    },
  };
}

/**
 * @param {string} path
 * @param {Buffer} content
 */
async function replaceFile(path, content) {
  const present = await readFile(path).catch(() => undefined);
  if (present?.equals(content)) return;
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  await writeFile(temporary, content);
  await rename(temporary, path);
}

/**
 * @param {string} folder
 * @param {ReadonlySet<string>} kept
 * @param {string} spared A folder inside that is not looked into.
 */
async function removeOthers(folder, kept, spared) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (path.startsWith(spared + sep)) continue;
    // Another build may be at work; what it removes first is gone as wanted.
    if (entry.isFile() && !kept.has(path)) await unlink(path).catch(() => undefined);
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const startedAt = performance.now();
  await build({ clean: true });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`Built ${relative(process.cwd(), dist) || '.'} in ${seconds} s.`);
}
