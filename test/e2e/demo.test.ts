import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import type { DemoFacts } from '../../src/cli/demo/run-demo.js';
import { findMysql } from '../helpers/mysql.js';
import { findPostgres } from '../helpers/postgres.js';
import { finished, jsonOf, runCli, startCli } from '../helpers/run-cli.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

/** The story takes a few seconds; a machine that is busy with other tests may need many times that. */
const TIMEOUT_MS = 90_000;

type Payload = DemoFacts & { kept: string | null; duration_ms: number };

/** An environment without any configuration, whose temporary files can be counted. */
async function bareEnvironment() {
  const folder = await temporaryFolder();
  const home = join(folder, 'home');
  const temporary = join(folder, 'tmp');
  await mkdir(home);
  await mkdir(temporary);
  return { folder, temporary, env: { HOME: home, TMPDIR: temporary, NO_COLOR: '1' } };
}

const SECRETS = /vka_|vks_|PRIVATE KEY|password"/i;

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What every telling has in common, whatever the engine. */
function expectWholeStory(facts: Payload): void {
  const { comparison, denial, approval, audit } = facts;
  expect(facts.database.tables).toEqual({ customers: 12, orders: 14, payments: 12, products: 8 });
  expect([facts.scan.tables, facts.scan.fields]).toEqual([4, 27]);
  const customers = facts.scan.datasets.find(({ name }) => name === 'customers');
  expect(customers?.fields.find(({ name }) => name === 'national_id')).toMatchObject({
    classification: 'national_id',
    category: 'pii',
    sensitivity: 'high',
  });
  expect(facts.rules).toMatchObject({ policies: 12, valid: true });
  expect(facts.bundle).toMatchObject({ version: 'v1', state: 'active', sequence: 1, datasets: 4 });
  expect(facts.bundle.checksum).toMatch(/^[0-9a-f]{64}$/);
  expect(comparison.analyst.rows).toEqual([
    { city: 'Bilbao', email: 'paula@example.com', phone: '*****' },
    { city: 'Lisbon', email: 'ines@example.com', phone: '*****' },
    { city: 'Malmo', email: 'saskia@example.com', phone: '*****' },
    { city: 'Porto', email: 'mara@example.com', phone: '*****' },
  ]);
  expect(comparison.agent.rows).toEqual(
    comparison.analyst.rows.map((row) => ({ ...row, email: sha256(String(row.email)) })),
  );
  expect(comparison.agent.masked_fields).toEqual(['email', 'phone']);
  expect(denial.denials).toHaveLength(3);
  for (const denied of denial.denials) {
    expect(denied).toMatchObject({
      status: 'denied',
      policy_id: 'deny_high_sensitivity_without_clearance',
      reason: 'Fields of high sensitivity need the clearance high',
      denied_fields: ['customers.national_id'],
    });
  }
  expect(approval.asked).toMatchObject({
    status: 'pending_approval',
    policy_id: 'approve_high_sensitivity',
  });
  expect(approval.own_approval.code).toBe('forbidden');
  expect(approval.answer.rows).toHaveLength(3);
  expect(audit).toMatchObject({ verified: true, tampered: { verified: false } });
  expect(audit.tampered.problem).toMatchObject({ seq: audit.tampered.seq, kind: 'changed' });
}

describe('vkit demo', { timeout: TIMEOUT_MS }, () => {
  it('gives the facts of every step as one document, and leaves nothing behind', async () => {
    const { env, temporary } = await bareEnvironment();
    const result = await runCli(['demo', '--json'], { env, timeoutMs: TIMEOUT_MS });
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
    const facts = jsonOf<Payload>(result);
    expectWholeStory(facts);
    expect(facts.kept).toBeNull();
    expect(result.stdout).not.toMatch(SECRETS);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('tells its story within 80 columns and keeps the project where it is asked to', async () => {
    const { env, folder, temporary } = await bareEnvironment();
    const kept = join(folder, 'kept');
    const options = { env, timeoutMs: TIMEOUT_MS };
    const { stdout, stderr, code } = await runCli(['demo', '--keep', kept], options);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    for (const fact of [
      '12 customers, 14 orders, 12 payments and 8 products',
      'deployed  v1, active',
      'paula@example.com',
      `${sha256('paula@example.com').slice(0, 10)}…`,
      'deny_high_sensitivity_without_clearance',
      'Nobody approves a request of their own',
      '4000056655665556',
      'was changed: its content does',
      'Every step came out as told',
    ]) {
      expect(stdout).toContain(fact);
    }
    const withoutPath = stdout.split('\n').filter((line) => !line.includes(folder));
    expect(withoutPath.filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toMatch(SECRETS);
    expect(await readdir(temporary)).toEqual([]);

    const mode = (await stat(join(kept, '.vkit/keys/vkit_priv.pem'))).mode & 0o777;
    expect(mode).toBe(0o600);
    const verify = (file: string) =>
      runCli(['audit', 'verify', file, '--key', 'dist/audit-keys.json'], { ...options, cwd: kept });
    expect((await verify('dist/audit.jsonl')).code).toBe(0);
    expect((await verify('dist/audit-changed.jsonl')).code).toBe(3);

    const before = await readFile(join(kept, 'vkit.yaml'), 'utf8');
    const again = await runCli(['demo', '--keep', kept], options);
    expect(again.code).toBe(8);
    expect(again.stderr).toContain('is not empty');
    expect(await readFile(join(kept, 'vkit.yaml'), 'utf8')).toBe(before);
  });

  it('leaves a server running that enforces the same rules, until Ctrl-C', async () => {
    const { env, temporary } = await bareEnvironment();
    const child = startCli(['demo', '--serve', '--json'], { env });
    const end = finished(child, TIMEOUT_MS);
    const document = await new Promise<string>((resolve) => {
      let text = '';
      child.stdout?.on('data', (chunk: string) => {
        text += chunk;
        if (text.endsWith('\n}\n')) resolve(text);
      });
    });
    const { server } = JSON.parse(document) as {
      server: { url: string; org: string; accounts: { name: string; token?: string }[] };
    };
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const token = server.accounts.find((account) => account.token !== undefined)?.token;
    const answer = await fetch(`${server.url}/api/v1/orgs/${server.org}/requests`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ aql: { source_table: 'customers', columns: ['national_id'] } }),
    });
    expect(await answer.json()).toMatchObject({
      status: 'denied',
      policy_id: 'deny_high_sensitivity_without_clearance',
    });
    child.kill('SIGINT');
    const result = await end;
    expect([result.code, result.stderr]).toEqual([0, '']);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('names the step that did not come out as told, and still tidies up', async () => {
    const { env, folder, temporary } = await bareEnvironment();
    const git = join(folder, 'git');
    await writeFile(git, '#!/bin/sh\n[ "$1" = "--version" ]\n');
    await chmod(git, 0o755);
    const result = await runCli(['demo', '--json'], {
      env: { ...env, PATH: folder },
      timeoutMs: TIMEOUT_MS,
    });
    expect(result.code).toBe(7);
    expect(jsonOf(result)).toMatchObject({
      error: { code: 'git_failed', message: expect.stringMatching(/^Step 4 of the demo, "/) },
    });
    expect(await readdir(temporary)).toEqual([]);
  });

  it('says at once what it cannot do, without repeating the password of a URL', async () => {
    const { env, temporary } = await bareEnvironment();
    const cases = [
      ['mysql://me:pa55w0rd@127.0.0.1:1', 7, 'datasource_unreachable'],
      ['mysql://localhost/shop', 2, 'invalid_input'],
      ['mysql://me:pa55w0rd@127.0.0.1:1/shop', 7, 'datasource_unreachable'],
      ['oracle://me:pa55w0rd@localhost/shop', 2, 'invalid_input'],
      ['postgres://me:pa55w0rd@localhost', 2, 'invalid_input'],
      ['postgres://localhost/shop', 2, 'invalid_input'],
      ['postgres://me:pa55w0rd@127.0.0.1:1/shop', 7, 'datasource_unreachable'],
    ] as const;
    for (const [url, exit, code] of cases) {
      const result = await runCli(['demo', '--json', '--url', url], { env });
      expect([url, result.code]).toEqual([url, exit]);
      expect(jsonOf(result)).toMatchObject({ error: { code } });
      expect(result.stdout + result.stderr).not.toContain('pa55w0rd');
    }
    const withoutGit = await runCli(['demo', '--json'], { env: { ...env, PATH: temporary } });
    expect(withoutGit.code).toBe(2);
    expect(jsonOf(withoutGit)).toMatchObject({ error: { code: 'dependency_missing' } });
    expect(await readdir(temporary)).toEqual([]);
  });
});

const postgres = await findPostgres();

describe.skipIf(postgres.url === null)(
  `vkit demo --url${postgres.reason === undefined ? '' : ` (${postgres.reason})`}`,
  { timeout: TIMEOUT_MS },
  () => {
    const url = new URL(postgres.url ?? 'postgres://none');

    async function schemaExists(name: string): Promise<boolean> {
      const client = new pg.Client({ connectionString: url.href });
      await client.connect();
      try {
        const found = await client.query('select 1 from pg_namespace where nspname = $1', [name]);
        return found.rowCount === 1;
      } finally {
        await client.end();
      }
    }

    it('tells the same on a real server, in a schema that is gone afterwards', async () => {
      const { env, temporary } = await bareEnvironment();
      const own = new URL(url);
      // A server that trusts the login takes any password; one that does not keeps its own.
      if (own.password === '') own.password = 'pa55w0rd-of-the-demo';
      const options = { env, timeoutMs: TIMEOUT_MS };
      const result = await runCli(['demo', '--json', '--url', own.href], options);
      expect(result.stderr).toBe('');
      expect(result.code).toBe(0);
      const facts = jsonOf<Payload>(result);
      expectWholeStory(facts);
      const schema = facts.database.schema ?? '';
      expect(schema).toMatch(/^vkit_demo_[0-9a-f]{12}$/);
      expect(facts.comparison.agent.sql).toContain(`"${schema}"."customers"`);
      expect(await schemaExists(schema)).toBe(false);
      expect(result.stdout).not.toContain(own.password);
      expect(await readdir(temporary)).toEqual([]);
    });

    it('drops the schema when it is interrupted', async () => {
      const { env, temporary } = await bareEnvironment();
      const child = startCli(['demo', '--url', url.href], { env });
      const end = finished(child, TIMEOUT_MS);
      const schema = await new Promise<string>((resolve) => {
        let text = '';
        child.stdout?.on('data', (chunk: string) => {
          text += chunk;
          const found = /vkit_demo_[0-9a-f]{12}/.exec(text)?.[0];
          if (found !== undefined) resolve(found);
        });
      });
      expect(await schemaExists(schema)).toBe(true);
      child.kill('SIGINT');
      const result = await end;
      expect([result.code, result.stderr]).toEqual([130, 'Error: The demo was interrupted.\n']);
      expect(await schemaExists(schema)).toBe(false);
      expect(await readdir(temporary)).toEqual([]);
    });
  },
);

const mysqlServer = await findMysql();

describe.skipIf(mysqlServer.url === null)(
  `vkit demo --url on MySQL${mysqlServer.reason === undefined ? '' : ` (${mysqlServer.reason})`}`,
  { timeout: TIMEOUT_MS },
  () => {
    const url = mysqlServer.url ?? 'mysql://none';

    async function databaseExists(name: string): Promise<boolean> {
      const client = await mysql.createConnection({ uri: url });
      try {
        const [rows] = await client.query<mysql.RowDataPacket[]>(
          'select 1 from information_schema.schemata where schema_name = ?',
          [name],
        );
        return rows.length === 1;
      } finally {
        await client.end();
      }
    }

    it('tells the same, in a database that is gone afterwards, for a URL that names none', async () => {
      const { env, temporary } = await bareEnvironment();
      const bare = new URL(url);
      bare.pathname = '/';
      const args = ['demo', '--json', '--url', bare.href];
      const result = await runCli(args, { env, timeoutMs: TIMEOUT_MS });
      expect(result.stderr).toBe('');
      expect(result.code).toBe(0);
      const facts = jsonOf<Payload>(result);
      expectWholeStory(facts);
      const database = facts.database.schema ?? '';
      expect(database).toMatch(/^vkit_demo_[0-9a-f]{12}$/);
      expect(facts.comparison.agent.sql).toContain(`\`${database}\`.\`customers\``);
      expect(await databaseExists(database)).toBe(false);
      expect(await readdir(temporary)).toEqual([]);
    });
  },
);
