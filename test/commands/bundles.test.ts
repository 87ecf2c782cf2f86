import { generateKeyPairSync } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, type LiveServer, liveServer } from '../helpers/live-server.js';
import { type CliResult, jsonOf } from '../helpers/run-cli.js';

type ErrorDocument = { error: { code: string; message: string; hint?: string } };

const ANA = 'ana@example.com';
const AUDITOR = 'auditor@example.com';

let server: LiveServer;

beforeAll(async () => {
  server = await liveServer();
  await server.account(ANA, ['analyst']);
  await server.account(AUDITOR, ['auditor']);
}, 120_000);

afterAll(async () => {
  await server?.stop();
});

const policy = (...args: string[]) => server.as(ADMIN, ['policy', ...args]);

/** The exit code and the code of the error document. */
function failure(result: CliResult): [number | null, string] {
  return [result.code, jsonOf<ErrorDocument>(result).error.code];
}

describe('without an active bundle', () => {
  it('there is nothing to show, and nothing decides', async () => {
    expect(failure(await policy('show', '--json'))).toEqual([2, 'not_found']);
    const ask = ['explain', '--remote', '--dataset', 'customers', '--role', 'analyst'];
    expect(failure(await policy(...ask, '--json'))).toEqual([3, 'no_active_bundle']);
    const text = await policy(...ask);
    expect([text.code, text.stdout]).toEqual([3, '']);
    expect(text.stderr).toContain('No policy bundle is active');
  });
});

describe('vkit policy show', () => {
  it('shows the facts and the policies, and writes a bundle that verifies', {
    timeout: 120_000,
  }, async () => {
    const file = await server.bundle(1);
    expect((await policy('deploy', '--bundle', file)).code).toBe(0);
    const text = await policy('show');
    expect([text.code, text.stderr]).toEqual([0, '']);
    expect(text.stdout).toMatch(/^v1\n {2}state +active\n {2}sequence +1\n/);
    expect(text.stdout).toMatch(/signed by key +\S{43}\n {2}expires +never\n/);
    expect(text.stdout).toMatch(/uploaded +\S+ \S+ UTC by admin@localhost\n {2}activated +.+ by/);
    expect(text.stdout).toMatch(/\n\npolicy +action +priority +description\n/);
    expect(text.stdout).toMatch(/\nnobody_reads_secrets +deny +0 +-\n/);
    expect(text.stdout).not.toContain('not served');

    const document = JSON.parse(await readFile(file, 'utf8')) as object;
    const json = jsonOf<{ id: string; bundle: object }>(await policy('show', 'v1', '--json'));
    expect(json).toMatchObject({ id: 'v1', state: 'active', refusal: null, bundle: document });

    const output = join(server.folder, 'shown.json');
    const written = jsonOf<object>(await policy('show', '1', '--output', output, '--json'));
    expect(written).toMatchObject({ id: 'v1', output, bytes: (await stat(output)).size });
    expect(written).not.toHaveProperty('bundle');
    const key = join(server.folder, 'keys', 'vkit_pub.pem');
    const checked = await policy('validate', '--bundle', output, '--key', key);
    expect([checked.code, checked.stdout]).toEqual([
      0,
      expect.stringContaining('signature verifies'),
    ]);
    expect(JSON.parse(await readFile(output, 'utf8'))).toEqual(document);

    expect((await policy('show', 'v9')).code).toBe(2);
    expect((await server.as(AUDITOR, ['policy', 'show'])).code).toBe(0);
    const refused = await server.as(ANA, ['policy', 'show']);
    expect(refused.code).toBe(6);
    expect(refused.stderr).toContain(
      `You are ${ANA} at ${server.url}, by the profile default. To be somebody else: vkit login`,
    );
  });
});

describe('vkit policy deploy', () => {
  it('says of bytes that are there what their version is', { timeout: 120_000 }, async () => {
    const [one, two] = [await server.bundle(1), await server.bundle(2)];
    await policy('deploy', '--bundle', two, '--no-activate');
    const uploaded = await policy('deploy', '--bundle', two, '--activate=false');
    expect([uploaded.code, uploaded.stderr]).toEqual([
      0,
      'The server had these bytes already; nothing changed.\nNext: vkit policy activate v2\n',
    ]);
    const listed = await policy('list');
    expect(listed.stderr).toBe('Next: vkit policy activate v2\n');
    const activated = await policy('activate', 'v2');
    expect([activated.code, activated.stderr]).toEqual([0, 'Next: vkit policy list\n']);
    expect((await policy('list')).stderr).toBe('');
    const superseded = await policy('deploy', '--bundle', one);
    expect([superseded.code, superseded.stderr]).toEqual([
      0,
      expect.stringContaining('vkit policy rollback --to v1'),
    ]);
    expect((await policy('revoke', '--bundle-version', 'v1', '--reason', 'bad')).code).toBe(0);
    const twice = await policy('revoke', 'v1', '--reason', 'worse');
    expect([twice.code, twice.stderr]).toEqual([0, 'v1 was revoked before; nothing changed.\n']);
    const revoked = await policy('deploy', '--bundle', one);
    expect([revoked.code, revoked.stderr]).toEqual([
      3,
      expect.stringContaining('the bytes of v1, which was revoked'),
    ]);
    const json = await policy('deploy', '--bundle', one, '--json');
    expect([json.code, jsonOf(json)]).toEqual([
      3,
      expect.objectContaining({ id: 'v1', state: 'revoked', created: false, reason: 'bad' }),
    ]);
  });

  it('says that nothing changes where a bundle is activated that is active', {
    timeout: 120_000,
  }, async () => {
    const epoch = async () =>
      jsonOf<{ epoch: number; unchanged?: true }>(await policy('activate', 'v2', '--json'));
    const before = await epoch();
    expect(before).toMatchObject({ id: 'v2', state: 'active', unchanged: true });
    const blank = await policy('rollback', '--to', 'v1', '--reason', ' ', '--force');
    expect([blank.code, blank.stderr]).toEqual([
      2,
      'Error: The reason is empty.\nSay why in a few words: --reason "…"\n',
    ]);
    const words = 'v2 was active already; nothing changed, and nothing was recorded.\n';
    const activated = await policy('activate', 'v2');
    expect([activated.code, activated.stderr]).toEqual([0, words]);
    const rolled = await policy('rollback', '--to', 'v2', '--reason', 'again', '--force');
    expect([rolled.code, rolled.stderr]).toEqual([0, words]);
    expect(await epoch()).toMatchObject({ epoch: before.epoch, reason: null });
  });

  it('exits 8 for a sequence that is too low, and says the way back', async () => {
    const low = await server.bundle(0);
    for (const flags of [[], ['--json']]) {
      const result = await policy('deploy', '--bundle', low, ...flags);
      expect(result.code).toBe(8);
      if (flags.length > 0) expect(failure(result)).toEqual([8, 'sequence_too_low']);
      else expect([result.stdout, result.stderr]).toEqual(['', expect.stringContaining('below 2')]);
    }
    expect(jsonOf<object[]>(await policy('list', '--json'))).toHaveLength(2);
  });
});

describe('vkit policy explain --remote', () => {
  const query = (dataset: string, ...more: string[]) =>
    ['explain', '--remote', '--dataset', dataset].concat(more);

  it('exits 0, 3 or 4 with what the active bundle decides', { timeout: 120_000 }, async () => {
    const who = ['--role', 'analyst'];
    const masked = await policy(...query('customers', '--fields', 'id,email', ...who));
    expect([masked.code, masked.stderr]).toEqual([0, '']);
    expect(masked.stdout).toMatch(/^Allowed, with masks\n {2}policy +pii_is_masked\n/);
    const waiting = await policy(...query('ledger', ...who, '--json'));
    expect([waiting.code, jsonOf(waiting)]).toEqual([
      4,
      expect.objectContaining({
        decision: expect.objectContaining({ policy_id: 'ledger_needs_approval' }),
      }),
    ]);
    const denied = await policy(...query('secrets', ...who));
    expect([denied.code, denied.stdout]).toEqual([3, expect.stringMatching(/^Denied\n/)]);
    const aql = JSON.stringify({ source_table: 'customers', columns: ['id'], limit: -1 });
    const invalid = await policy('explain', '--remote', '--aql', aql, ...who, '--json');
    expect(failure(invalid)).toEqual([2, 'validation']);
  });

  it('takes an account as it is now, and records it', { timeout: 120_000 }, async () => {
    const customers = query('customers', '--fields', 'id');
    const ana = await policy(...customers, '--user', ANA);
    expect([ana.code, ana.stdout]).toEqual([
      0,
      expect.stringMatching(/account +ana@example.com \(user\)\n {2}requester +roles analyst;/),
    ]);
    const create = ['agents', 'tokens', 'create', '--name', 'report-bot', '--role', 'analyst'];
    await server.as(ADMIN, create);
    expect((await policy(...customers, '--user', 'report-bot')).stdout).toMatch(
      /account +report-bot \(agent\)\n/,
    );
    await policy(...customers, '--user', AUDITOR);
    expect((await server.as(AUDITOR, ['policy', ...customers, '--user', ANA])).code).toBe(0);
    expect((await server.as(ANA, ['policy', ...customers, '--user', ANA])).code).toBe(6);
    expect(failure(await policy(...customers, '--user', 'nobody', '--json'))).toEqual([
      2,
      'not_found',
    ]);
    const log = ['audit', 'query', '--action', 'policy.explained', '--json'];
    const records = jsonOf<{ requester: { email: string } }[]>(await server.as(AUDITOR, log));
    expect(records[0]).toMatchObject({ requester: { email: AUDITOR } });
  });
});

it('no bundle of a key that is not trusted any more is activated', {
  timeout: 120_000,
}, async () => {
  await policy('deploy', '--bundle', await server.bundle(3), '--no-activate');
  const path = join(server.folder, 'keys', 'vkit_pub.pem');
  const key = await readFile(path, 'utf8');
  const other = generateKeyPairSync('ed25519').publicKey;
  await writeFile(path, other.export({ format: 'pem', type: 'spki' }));
  expect(failure(await policy('activate', 'v3', '--json'))).toEqual([3, 'bundle_signature']);
  const shown = await policy('show', 'v3');
  expect(shown.stdout).toMatch(/not to be activated +No trusted key has the id/);
  await writeFile(path, key);
  expect((await policy('activate', 'v3')).code).toBe(0);
  expect((await policy('list')).stdout).toMatch(/^version .* signed by +uploaded/);
});
