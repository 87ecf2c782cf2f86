// Writes test/fixtures/github-openapi.json: what GitHub's description of its REST API says of the calls that vkit makes.
// The whole description (MIT, package @octokit/openapi) is some 400 MB, so it is installed for this script only.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const VERSION = '23.0.2';

/** @type {readonly (readonly [path: string, method: string])[]} */
const OPERATIONS = [
  ['/repos/{owner}/{repo}/pulls', 'get'],
  ['/repos/{owner}/{repo}/pulls', 'post'],
  ['/repos/{owner}/{repo}/pulls/{pull_number}', 'patch'],
];

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = await mkdtemp(join(tmpdir(), 'vkit-openapi-'));
try {
  const args = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
  await promisify(execFile)('npm', [...args, `@octokit/openapi@${VERSION}`]);
  const file = join(folder, 'node_modules/@octokit/openapi/generated/api.github.com.json');
  const whole = JSON.parse(await readFile(file, 'utf8'));
  const part = {
    openapi: whole.openapi,
    info: { title: whole.info.title, version: VERSION, license: whole.info.license },
    paths: /** @type {Record<string, Record<string, unknown>>} */ ({}),
    components: /** @type {Record<string, Record<string, unknown>>} */ ({}),
  };
  for (const [path, method] of OPERATIONS) {
    const { operationId, parameters, requestBody, responses } = whole.paths[path][method];
    part.paths[path] = {
      ...part.paths[path],
      [method]: bare({ operationId, parameters, requestBody, responses }),
    };
  }
  const basicError = '#/components/schemas/basic-error';
  const waiting = [...refsIn(part.paths), basicError];
  for (let ref = waiting.pop(); ref !== undefined; ref = waiting.pop()) {
    const [, , kind = '', name = ''] = ref.split('/');
    const components = part.components[kind] ?? {};
    part.components[kind] = components;
    if (name in components) continue;
    components[name] = bare(whole.components[kind][name]);
    waiting.push(...refsIn(components[name]));
  }
  const target = join(root, 'test/fixtures/github-openapi.json');
  await writeFile(target, JSON.stringify(part));
  await promisify(execFile)('npx', ['biome', 'format', '--write', target], { cwd: root });
} finally {
  await rm(folder, { recursive: true, force: true });
}

/**
 * Without what is for people, which is most of it.
 * @param {unknown} value
 * @param {boolean} [named] Whether the keys are names of properties, none of which is left out.
 * @returns {unknown}
 */
function bare(value, named = false) {
  if (Array.isArray(value)) return value.map((item) => bare(item));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key]) => named || !['description', 'example', 'examples'].includes(key),
  );
  return Object.fromEntries(
    kept.map(([key, item]) => [key, bare(item, !named && key === 'properties')]),
  );
}

/**
 * @param {unknown} value
 * @returns {string[]}
 */
function refsIn(value) {
  return [...JSON.stringify(value).matchAll(/"\$ref":"(#\/components\/[^"]+)"/g)].map(
    ([, ref = '']) => ref,
  );
}
