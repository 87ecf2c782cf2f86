import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credentials, Sandbox } from '../../engines/contract.js';
import { ENGINES } from '../../engines/index.js';
import { SANDBOX_ENGINES, SANDBOXES, type SandboxEngine } from '../../engines/sandbox.js';
import { VkitError } from '../../errors/index.js';
import { readProject } from '../../project/read-project.js';
import { writeDatasourceFile } from '../../project/write-project.js';
import { addDatasource } from '../../services/add-datasource.js';
import { initProject } from '../../services/init-project.js';
import { engineSchemas } from '../../services/load-project.js';
import type { DatasourceContext } from '../../services/open-datasource.js';
import { packageRoot } from '../../util/package-root.js';
import type { Page } from './page.js';

/** The id of the demo's datasource, and its organisation. */
export const DATASOURCE = 'shop';
export const ORG = 'shop';
export const REGION = 'EU';

/** Enough that nobody has a schema of that name. */
const SCHEMA_BYTES = 6;

/** The tables of lib/demo/shop.sql, in the order of a tour. */
const TABLES = ['customers', 'orders', 'payments', 'products'] as const;

export interface Shop {
  root: string;
  sandbox: Sandbox;
  /** What reaches the database; the password lives here alone. */
  context: DatasourceContext;
}

export interface ShopFacts {
  engine: SandboxEngine;
  /** The schema or database made for the demo; null where the database is a file of its own. */
  schema: string | null;
  tables: Readonly<Record<string, number>>;
}

/** Where the sample data is to go. */
export interface Target {
  engine: SandboxEngine;
  /** Made for the demo; null where the database is a file of its own. */
  schema: string | null;
  /** As the project's file says; relative paths start at the project. */
  config: Readonly<Record<string, unknown>>;
  credentials: Credentials;
}

/** The engines that a URL may name. */
const SERVERS = SANDBOX_ENGINES.filter((name) => schemesOf(name).length > 0);

function schemesOf(engine: SandboxEngine): readonly string[] {
  return SANDBOXES[engine].urlSchemes;
}

/**
 * A SQLite file, or a new schema (in MySQL a database) on the server of a URL, to which the environment may add a login.
 * Throws `invalid_input` for a URL that cannot be used.
 */
export function chooseTarget(url: string | undefined, fromEnvironment: Credentials): Target {
  if (url === undefined) {
    return { engine: 'sqlite', schema: null, config: { path: './shop.db' }, credentials: {} };
  }
  const scheme = /^([a-z][a-z0-9+]*):/i.exec(url)?.[1]?.toLowerCase() ?? '';
  const engine = SERVERS.find((name) => schemesOf(name).includes(scheme));
  if (engine === undefined) {
    const known = SERVERS.flatMap(schemesOf).map((name) => `${name}://`);
    throw new VkitError('invalid_input', `The URL begins with none of ${known.join(', ')}.`, {
      hint: 'Give the URL of a server of these, or none for embedded SQLite: vkit demo',
    });
  }
  const parsed = ENGINES[engine].parseUrl(url);
  const credentials = { ...fromEnvironment, ...parsed.credentials };
  if (credentials.username === undefined) {
    throw new VkitError('invalid_input', 'The URL names no user.', {
      hint: `Write ${scheme}://USER@HOST/DATABASE; a password may also stand in VKIT_DS_SHOP_PASSWORD.`,
    });
  }
  const schema = `vkit_demo_${randomBytes(SCHEMA_BYTES).toString('hex')}`;
  const config = { ...parsed.config, [SANDBOXES[engine].placeKey]: schema };
  return { engine, schema, config, credentials };
}

/** Makes the project and the sample data, and adds the database to the project. The sandbox is for the caller to drop. */
export async function openShop(
  root: string,
  target: Target,
  now: Date,
): Promise<{ shop: Shop; facts: ShopFacts }> {
  const { engine, schema, credentials } = target;
  await initProject({ directory: root, org: ORG, cwd: root, now });
  const sandbox = await createSandbox(root, target);
  try {
    const script = await readFile(join(packageRoot(), 'lib', 'demo', 'shop.sql'), 'utf8');
    await sandbox.run(script);
    await describe(root, target);
    const context = { engines: ENGINES, variables: () => credentials };
    return { shop: { root, sandbox, context }, facts: { engine, schema, tables: rowsOf(script) } };
  } catch (error) {
    await sandbox.drop();
    throw error;
  }
}

async function createSandbox(root: string, target: Target): Promise<Sandbox> {
  const { path, ...rest } = target.config;
  const config = typeof path === 'string' ? { ...rest, path: join(root, path) } : rest;
  try {
    const { credentials } = target;
    return await SANDBOXES[target.engine].create({ id: DATASOURCE, config, credentials });
  } catch (error) {
    if (!(error instanceof VkitError) || error.code !== 'datasource_unreachable') throw error;
    throw new VkitError(
      error.code,
      'The server of the URL cannot be reached, or refuses the login.',
      {
        hint: 'Check host, port, user, password and database of the URL.',
        cause: error,
      },
    );
  }
}

/** Adds the datasource as `vkit datasource add` does. */
async function describe(root: string, target: Target): Promise<void> {
  await addDatasource({
    cwd: root,
    id: DATASOURCE,
    engine: target.engine,
    config: JSON.stringify(target.config),
    environment: 'production',
    region: REGION,
    engines: ENGINES,
  });
  if (target.schema === null) return;
  // Whatever else is in that database is none of the demo's business.
  const project = await readProject(root, { engineSchemas: engineSchemas() });
  const datasource = project.datasources.find(({ id }) => id === DATASOURCE);
  if (datasource === undefined) throw new VkitError('internal', 'The datasource was not written.');
  const scoped = { ...datasource, include: [`${target.schema}.*`] };
  await writeDatasourceFile(root, scoped, { overwrite: true });
}

/** Rows per table, counted in the script itself: one a line. */
function rowsOf(script: string): Record<string, number> {
  return Object.fromEntries(
    TABLES.map((table) => {
      const rows = script.split(`insert into ${table} values\n`)[1]?.split(';')[0] ?? '';
      return [table, rows.split('\n').filter((line) => line.trim().startsWith('(')).length];
    }),
  );
}

export function tellShop(facts: ShopFacts, page: Page): void {
  const counts = Object.entries(facts.tables).map(([table, rows]) => `${rows} ${table}`);
  const place =
    facts.schema === null
      ? 'an embedded SQLite database, a file of its own'
      : `your ${ENGINES[facts.engine].displayName} server, in a ${SANDBOXES[facts.engine].placeKey} of its own (${facts.schema})`;
  page.say(`A small shop keeps its data in ${place}: ${list(counts)}. All of it is made up.`);
}

function list(parts: readonly string[]): string {
  return parts.length < 2
    ? parts.join('')
    : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`;
}
