import type { ChildProcess } from 'node:child_process';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { compileBundle } from '../../src/bundle/compile-bundle.js';
import { signBundle } from '../../src/bundle/sign-bundle.js';
import { parsePolicyFile } from '../../src/policy/parse-policy.js';
import { parseRegistry } from '../../src/schema/parse-registry.js';
import { type CliResult, finished, runCli, startCli } from './run-cli.js';

/** Of every account that `account` makes; no output may hold it. */
export const ACCOUNT_PASSWORD = 'a long enough password';

const ROWS = `
create table customers (id integer primary key, email text, note text, purchase_amount numeric(10, 2));
insert into customers values
  (1, 'zoe@example.com', '=1+1', 12.5),
  (2, 'mia@example.com', char(27) || '[2Jgone', 99),
  (3, null, 'plain', null);
create table ledger (id integer primary key, amount integer);
insert into ledger values (1, 100), (2, 200);
create table secrets (id integer primary key);
insert into secrets values (1);
create table numbers (n integer primary key);
insert into numbers
  with recursive up(n) as (select 1 union all select n + 1 from up where n < 5000) select n from up;
`;

const field = (name: string, type: string, category: string) =>
  `    ${name}: {type: ${type}, sensitivity: low, category: ${category}}`;

const REGISTRY = `
customers:
  datasource: shop
  fields:
${field('id', 'integer', 'internal')}
${field('email', 'text', 'pii')}
${field('note', 'text', 'internal')}
${field('purchase_amount', 'numeric', 'internal')}
ledger:
  datasource: shop
  fields:
${field('id', 'integer', 'internal')}
${field('amount', 'integer', 'financial')}
secrets:
  datasource: shop
  fields:
${field('id', 'integer', 'internal')}
numbers:
  datasource: shop
  fields:
${field('n', 'integer', 'internal')}
`;

const POLICIES = [
  `id: analysts_read
match: {dataset: [customers, ledger, numbers]}
context: {requester_role: analyst}
action: {allow: true}`,
  `id: pii_is_masked
match: {fields: {category: pii}}
action: {mask: true, mask_type: full}`,
  `id: ledger_needs_approval
match: {dataset: ledger}
action:
  require_approval: true
  approver_role: finance
  approval_metadata_required: [ticket]
  reason: "The ledger is looked at by finance first."`,
  `id: nobody_reads_secrets
match: {dataset: secrets}
action: {deny: true, reason: "Secrets stay secret."}`,
];

/** A server in a process of its own over a SQLite shop, driven by the command line alone. */
export interface LiveServer {
  url: string;
  folder: string;
  dataDir: string;
  adminPassword: string;
  /** Runs a command against the server as somebody: the administrator, or an account of `account`. */
  as(
    who: string,
    args: readonly string[],
    options?: { stdin?: string; cwd?: string },
  ): Promise<CliResult>;
  /** The environment of somebody's commands. */
  env(who: string): Record<string, string>;
  /** Makes a person and logs them in. */
  account(email: string, roles: readonly string[]): Promise<void>;
  /** Compiles and signs a bundle into a file; its sequence is its number. */
  bundle(sequence: number): Promise<string>;
  /** Every output of every command that ran. */
  outputs: string[];
  stop(): Promise<void>;
}

export const ADMIN = 'admin@localhost';

/** Starts the server with a key to trust and no bundle yet. The caller stops it. */
export async function liveServer(): Promise<LiveServer> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'vkit-live-')));
  const database = new DatabaseSync(join(folder, 'shop.db'));
  database.exec(ROWS);
  database.close();
  const outputs: string[] = [];
  const run = async (args: readonly string[], options: Parameters<typeof runCli>[1] = {}) => {
    const result = await runCli(args, { cwd: folder, ...options });
    outputs.push(result.stdout + result.stderr);
    return result;
  };
  await expectDone(run(['keys', 'generate', '--out-dir', 'keys']));
  await expectDone(run(['keys', 'trust', 'keys/vkit_pub.pem']));
  const dataDir = join(folder, 'state');
  const { child, url, adminPassword } = await startServer(folder, dataDir);
  const env = (who: string) => ({
    XDG_CONFIG_HOME: join(folder, 'config', who),
    VKIT_API_URL: url,
  });
  const logIn = async (who: string, password: string) => {
    await mkdir(env(who).XDG_CONFIG_HOME, { recursive: true });
    const args = ['login', '--email', who, '--password-stdin'];
    await expectDone(run(args, { env: env(who), stdin: password }));
  };
  await logIn(ADMIN, adminPassword);
  return {
    url,
    folder,
    dataDir,
    adminPassword,
    outputs,
    env,
    as: (who, args, options = {}) => run(args, { ...options, env: env(who) }),
    async account(email, roles) {
      const args = ['user', 'create', '--email', email, '--password-stdin'];
      for (const role of roles) args.push('--role', role);
      await expectDone(run(args, { env: env(ADMIN), stdin: ACCOUNT_PASSWORD }));
      await logIn(email, ACCOUNT_PASSWORD);
    },
    bundle: (sequence) => writeBundle(folder, sequence),
    async stop() {
      child.kill('SIGTERM');
      await finished(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function expectDone(result: Promise<CliResult>): Promise<void> {
  const { code, stdout, stderr } = await result;
  if (code !== 0) throw new Error(`exit code ${code}: ${stdout}${stderr}`);
}

/** Starts `vkit serve` and waits until it says where. */
export async function startServer(
  cwd: string,
  dataDir: string,
  { args: more = [], env = {} }: { args?: string[]; env?: Record<string, string> } = {},
): Promise<{ child: ChildProcess; url: string; adminPassword: string }> {
  const args = ['serve', '--port', '0', '--json', '--log-level', 'silent', '--data-dir', dataDir];
  const child = startCli([...args, ...more], { cwd, env });
  const line = await new Promise<string>((resolve, reject) => {
    let text = '';
    let errors = '';
    child.stderr?.on('data', (chunk) => {
      errors += chunk;
    });
    child.stdout?.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text);
    });
    child.on('close', () => reject(new Error(`The server ended: ${text}${errors}`)));
  });
  const { url, admin_password } = JSON.parse(line) as { url: string; admin_password?: string };
  return { child, url, adminPassword: admin_password ?? '' };
}

async function writeBundle(folder: string, sequence: number): Promise<string> {
  const policies = POLICIES.map((text, index) => {
    const { policy, problems } = parsePolicyFile(text, `policy-${index}.yaml`);
    if (!policy) throw new Error(JSON.stringify(problems));
    return policy;
  });
  const bundle = compileBundle({
    org: 'default',
    commit: { sha: sequence.toString(16).padStart(40, '0'), time: '2026-03-01T00:00:00Z' },
    sequence,
    expiresAt: null,
    repo: 'example.test/default/policies',
    dirty: false,
    defaultAction: 'deny',
    installedPacks: [],
    policies,
    registry: parseRegistry(REGISTRY, 'registry.yaml').registry,
    lock: null,
    datasources: [
      {
        name: 'shop',
        type: 'sqlite',
        environment: 'production',
        region: 'US',
        config: { path: join(folder, 'shop.db') },
        credentials: 'env',
      },
    ],
  });
  const read = (name: string) => readFile(join(folder, 'keys', name));
  const privateKey = createPrivateKey(await read('vkit_priv.pem'));
  const publicKey = createPublicKey(await read('vkit_pub.pem'));
  const path = join(folder, `bundle-${sequence}.json`);
  await writeFile(path, JSON.stringify(await signBundle(bundle, privateKey, publicKey)));
  return path;
}
