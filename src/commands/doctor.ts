import { delimiter, resolve } from 'node:path';
import { BaseCommand } from '../cli/base-command.js';
import { coloursFor } from '../cli/colours.js';
import { connectAnonymously, connectIfLoggedIn, type ServerFlagValues } from '../cli/connect.js';
import { projectFlags, serverFlags } from '../cli/flags.js';
import { startProgress } from '../cli/progress.js';
import { cacheOptions } from '../cli/project-context.js';
import { testOneDatasource } from '../cli/test-one-datasource.js';
import { readEnvironment } from '../config/env.js';
import { loadServerConfig, SERVER_CONFIG_FILE } from '../config/server-config.js';
import { VkitError } from '../errors/index.js';
import { type DoctorCheck, exitCodeOfChecks } from '../services/doctor/check.js';
import type { KeyFiles } from '../services/doctor/check-keys.js';
import type { ServerToCheck } from '../services/doctor/check-server.js';
import { examine } from '../services/doctor/examine.js';
import { counted } from '../util/counted.js';
import { escapeTerminal } from '../util/escape.js';
import { isFile } from '../util/is-file.js';
import { proxiedFetch } from '../util/proxied-fetch.js';

const KEYS_FOLDER = '.vkit/keys';

export default class DoctorCommand extends BaseCommand {
  static override summary = 'Check Node, Git, keys, configuration, server and datasources.';
  static override description =
    `Says of each what is wrong and how to mend it, and changes nothing. What is not there or not this account's to see is \
skipped. Exits 7 when all that failed is a server or a datasource that cannot be reached, 3 when anything else has to be mended.`;
  static override examples = ['<%= config.bin %> doctor', '<%= config.bin %> doctor --json'];
  static override flags = { ...projectFlags, ...serverFlags };

  async run(): Promise<object> {
    const { flags } = await this.parse(DoctorCommand);
    const cwd = resolve(flags.dir ?? '.');
    const progress = await startProgress('Looking at everything', { json: this.jsonEnabled() });
    const checks = await examine({
      cwd,
      nodeVersion: process.versions.node,
      ...cacheOptions(),
      keys: keyFiles,
      readServerFile: () => readServerFile(cwd),
      server: () => serverToCheck(flags, this.config.version),
      testDatasource: (id) =>
        testOneDatasource(id, { ...flags, remote: false }, this.config.version),
    }).finally(() => progress.stop());
    for (const line of checks.flatMap(linesOf)) this.log(line);
    this.log(summaryOf(checks));
    const exitCode = exitCodeOfChecks(checks);
    return exitCode === 0 ? checks : this.answer(exitCode, checks);
  }
}

function summaryOf(checks: readonly DoctorCheck[]): string {
  const count = (wanted: DoctorCheck['state']) =>
    checks.filter(({ state }) => state === wanted).length;
  const failures = count('failed');
  if (failures > 0) return `${failures} of ${checks.length} failed.`;
  const warnings = count('warning');
  return warnings === 0 ? 'All is well.' : `All is well, but for ${counted(warnings, 'warning')}.`;
}

const MARKS: Record<DoctorCheck['state'], string> = {
  ok: '✓',
  warning: '!',
  failed: '✗',
  skipped: '-',
};

function linesOf({ id, state, message, hint }: DoctorCheck): string[] {
  const colours = coloursFor(process.stdout);
  const paint = {
    ok: colours.green,
    warning: colours.yellow,
    failed: colours.red,
    skipped: colours.dim,
  };
  const line = `${paint[state](MARKS[state])} ${escapeTerminal(`${id}  ${message}`)}`;
  return hint === undefined ? [line] : [line, colours.dim(`    ${escapeTerminal(hint)}`)];
}

function keyFiles(root: string): KeyFiles {
  const { privateKeyFile, publicKeyFile } = readEnvironment();
  const named = publicKeyFile?.split(new RegExp(`[,${delimiter}]`)).filter((path) => path !== '');
  return {
    root,
    privateKey: resolve(root, privateKeyFile ?? `${KEYS_FOLDER}/vkit_priv.pem`),
    publicKeys: (named ?? [`${KEYS_FOLDER}/vkit_pub.pem`]).map((path) => resolve(root, path)),
  };
}

async function readServerFile(cwd: string): Promise<string | null> {
  const path = resolve(cwd, SERVER_CONFIG_FILE);
  if (!(await isFile(path))) return null;
  await loadServerConfig({ cwd, environment: {}, flags: {} });
  return path;
}

async function serverToCheck(flags: ServerFlagValues, version: string): Promise<ServerToCheck> {
  const { endpoint, login } = await connectAnonymously(flags, version);
  const environment = readEnvironment();
  const client = await connectIfLoggedIn(flags, version).catch((error: unknown) => {
    if (error instanceof VkitError && error.code === 'unauthenticated') return null;
    throw error;
  });
  return {
    endpoint,
    isNamed: flags.endpoint !== undefined || environment.apiUrl !== undefined || login !== null,
    version,
    fetch: proxiedFetch(environment.proxy),
    client: client?.client ?? null,
    now: Date.now,
  };
}
