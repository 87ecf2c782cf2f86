import { execFileSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCOUNT_PASSWORD, ADMIN, type LiveServer, liveServer } from '../helpers/live-server.js';
import { finished, jsonOf, runCli, startCli } from '../helpers/run-cli.js';

type Answer = Record<string, unknown> & { request_id: string; grant_ref: string };
type ErrorDocument = { error: { code: string; message: string; hint: string | null } };

const ANA = 'ana@example.com';
const FAY = 'fay@example.com';
const CUSTOMERS = ['--aql', '{"source_table": "customers", "columns": ["id", "email", "note"]}'];
const LEDGER = ['--aql', '{"source_table": "ledger", "columns": ["id", "amount"]}'];
const TICKET = ['--metadata', '{"ticket": "4711"}'];

let server: LiveServer;

beforeAll(async () => {
  server = await liveServer();
  await server.account(ANA, ['analyst']);
  await server.account(FAY, ['finance']);
  const bundle = await server.bundle(1);
  const deployed = await server.as(ADMIN, ['policy', 'deploy', '--bundle', bundle]);
  expect(deployed.stderr).toContain('Next: vkit user create');
}, 120_000);

afterAll(async () => {
  await server?.stop();
});

async function granted(): Promise<Answer> {
  return jsonOf<Answer>(await server.as(ANA, ['request', ...CUSTOMERS, '--json']));
}

async function pending(): Promise<Answer> {
  return jsonOf<Answer>(await server.as(ANA, ['request', ...LEDGER, ...TICKET, '--json']));
}

describe('vkit request', () => {
  it('exits 0 for a grant and says how to fetch it', async () => {
    const text = await server.as(ANA, ['request', ...CUSTOMERS]);
    expect(text.code).toBe(0);
    expect(text.stderr).toMatch(/^Next: vkit fetch --grant gr_\S+\n$/);
    expect(text.stdout).toMatch(/^Granted {2}req_/);
    expect(text.stdout).toMatch(/masked fields {2}email/);
    expect(text.stdout).toMatch(/expires {8}\S+ \S+ UTC \(in /);
    const json = await server.as(ANA, ['request', ...CUSTOMERS, '--json']);
    expect(json.code).toBe(0);
    expect(json.stderr).toBe('');
    const answer = jsonOf<Answer>(json);
    expect(answer).toMatchObject({
      status: 'granted',
      state: 'approved',
      masked_fields: ['email'],
    });
    expect(answer.grant_id).toBe(answer.grant_ref);
  });

  it('exits 3 for a denial and prints the payload, not an error', async () => {
    const args = ['request', '--aql', '{"source_table": "secrets", "columns": ["id"]}'];
    const text = await server.as(ANA, args);
    expect([text.code, text.stderr]).toEqual([3, '']);
    expect(text.stdout).toContain('Secrets stay secret.');
    const json = await server.as(ANA, [...args, '--json']);
    expect([json.code, json.stderr]).toEqual([3, '']);
    expect(jsonOf(json)).toMatchObject({ status: 'denied', policy_id: 'nobody_reads_secrets' });
  });

  it('says what would pass instead of a denial, as a command that does', async () => {
    const aql = '{"source_table": "customers", "columns": ["id", "emial", "it\'s"]}';
    const args = ['request', '--aql', aql, '--role', 'analyst', '--reason', "ana's own"];
    const text = await server.as(ANA, args);
    expect([text.code, text.stdout]).toEqual([3, expect.stringContaining('unknown_field')]);
    const commands = text.stderr.split('\n').filter((line) => line.startsWith('  vkit request'));
    expect(text.stderr).toMatch(/^This would pass:\nLeave out emial, it's\. It is granted at once/);
    const words = execFileSync('sh', ['-c', `printf '%s\\n' ${commands[0]}`], { encoding: 'utf8' });
    const [vkit, ...rest] = words.trimEnd().split('\n');
    expect([vkit, rest]).toEqual([
      'vkit',
      [
        'request',
        '--aql',
        '{"source_table":"customers","columns":["id"]}',
        '--role',
        'analyst',
        '--reason',
        "ana's own",
      ],
    ]);
    expect((await server.as(ANA, rest)).code).toBe(0);
    const json = await server.as(ANA, [...args, '--json']);
    expect([json.code, json.stderr]).toEqual([3, '']);
    expect(jsonOf<{ details: object }>(json).details).toMatchObject({
      fields: ['emial', "it's"],
      suggestions: [{ status: 'granted', without: ['emial', "it's"] }],
    });
    expect(text.stderr.split('\n')).toHaveLength(4);
  });

  it('exits 4 while somebody has to approve it', async () => {
    const text = await server.as(ANA, ['request', ...LEDGER, ...TICKET, '--approval-required']);
    expect([text.code, text.stderr]).toEqual([4, expect.stringMatching(/vkit requests show req_/)]);
    expect(text.stdout).toMatch(/^Waiting for approval/);
    expect(text.stdout).toContain('0 of 1 by finance');
    const json = await server.as(ANA, ['request', ...LEDGER, ...TICKET, '--json']);
    expect([json.code, json.stderr]).toEqual([4, '']);
    expect(jsonOf(json)).toMatchObject({ status: 'pending_approval', approver_role: 'finance' });
  });

  it('exits 2 for missing metadata and names it', async () => {
    const text = await server.as(ANA, ['request', ...LEDGER]);
    expect([text.code, text.stdout]).toEqual([2, '']);
    expect(text.stderr).toContain('ticket');
    const json = await server.as(ANA, ['request', ...LEDGER, '--json']);
    expect(json.code).toBe(2);
    expect(jsonOf<ErrorDocument>(json).error.code).toBe('metadata_required');
  });

  it('exits 6 for a clearance that one does not hold', async () => {
    const args = ['request', ...CUSTOMERS, '--requester-clearance', 'high'];
    expect((await server.as(ANA, args)).code).toBe(6);
    const json = await server.as(ANA, [...args, '--json']);
    expect(jsonOf<ErrorDocument>(json).error.code).toBe('attribute_not_held');
  });

  it('takes the query from stdin or a file, and names --aql where there is none', async () => {
    const stdin = CUSTOMERS[1] ?? '';
    expect((await server.as(ANA, ['request', '--json'], { stdin })).code).toBe(0);
    const none = await server.as(ANA, ['request']);
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('--aql is missing');
    const noFile = await server.as(ANA, ['request', '--file', 'nothing.json']);
    expect(noFile.code).toBe(2);
    expect(noFile.stderr).toContain('nothing.json');
    const broken = await server.as(ANA, ['request', '--json'], {
      stdin: '{"source_table": hunter2',
    });
    expect(broken.code).toBe(2);
    expect(jsonOf<ErrorDocument>(broken).error.code).toBe('invalid_aql');
    expect(broken.stdout).not.toContain('hunter2');
  });

  it('with --wait fetches at once what needs no approval', async () => {
    const result = await server.as(ANA, ['request', ...CUSTOMERS, '--wait', '--json']);
    expect(result.code).toBe(0);
    const answer = jsonOf<Answer & { rows: unknown[] }>(result);
    expect(answer.rows).toHaveLength(3);
    expect(answer.grant_id).toBe(answer.grant_ref);
    const csv = await server.as(ANA, ['request', ...CUSTOMERS, '--wait', '--format', 'csv']);
    expect(csv.stdout.split('\r\n')[0]).toBe('id,email,note');
  });

  it('with --wait blocks until a second person has approved, then prints the rows', async () => {
    const args = ['request', ...LEDGER, '--metadata', '{"ticket": "wait"}', '--wait', '--json'];
    const child = startCli(args, { env: server.env(ANA) });
    const ended = finished(child);
    const id = await pendingOf('wait');
    expect((await server.as(FAY, ['approval', 'approve', id])).code).toBe(0);
    const result = await ended;
    expect([result.code, result.stderr]).toEqual([0, '']);
    expect(jsonOf(result)).toMatchObject({
      rows: [
        { id: 1, amount: 100 },
        { id: 2, amount: 200 },
      ],
    });
  });

  it('with --wait exits 3 when it is denied', async () => {
    const args = ['request', ...LEDGER, '--metadata', '{"ticket": "no"}', '--wait'];
    const child = startCli(args, { env: server.env(ANA) });
    const ended = finished(child);
    const id = await pendingOf('no');
    await server.as(FAY, ['approval', 'deny', id, '--reason', 'not now']);
    const result = await ended;
    expect(result.code).toBe(3);
    expect(result.stdout).toContain('not now');
    expect(result.stderr).toContain('waits for an approval');
  });

  it('with --wait exits 130 when it is interrupted', async () => {
    const args = ['request', ...LEDGER, '--metadata', '{"ticket": "long"}', '--wait', '--json'];
    const child = startCli(args, { env: server.env(ANA) });
    const ended = finished(child);
    await pendingOf('long');
    child.kill('SIGINT');
    const result = await ended;
    expect(result.code).toBe(130);
    expect(jsonOf<ErrorDocument>(result).error.code).toBe('interrupted');
  });
});

/** The id of the pending request with this ticket, once it is there. */
async function pendingOf(ticket: string): Promise<string> {
  type Item = { id: string; created_at: string; metadata: { ticket: string } };
  for (let turn = 0; turn < 40; turn += 1) {
    const items = jsonOf<Item[]>(await server.as(FAY, ['approval', 'list', '--json']));
    const found = items.find(
      ({ metadata, created_at }) =>
        metadata.ticket === ticket && Date.now() - Date.parse(created_at) < 5_000,
    );
    if (found) return found.id;
  }
  throw new Error('The request never came.');
}

describe('vkit requests and cancel', () => {
  it('lists an array whose items have id and state, and shows one of them', async () => {
    const { request_id } = await granted();
    const list = await server.as(ANA, ['requests', 'list', '--state', 'approved', '--json']);
    const items = jsonOf<{ id: string; state: string }[]>(list);
    expect(items.every(({ state }) => state === 'approved')).toBe(true);
    expect(items.map(({ id }) => id)).toContain(request_id);
    const few = jsonOf<unknown[]>(
      await server.as(ANA, ['requests', 'list', '--limit', '1', '--json']),
    );
    expect(few).toHaveLength(1);
    expect((await server.as(ANA, ['requests', 'list'])).stdout).toMatch(
      /^request +state +dataset +made +grant +expires\n.* in \d+[mh]/s,
    );
    const shown = await server.as(ANA, ['requests', 'show', request_id, '--json']);
    expect(jsonOf<Answer>(shown).grant_id).toBe(jsonOf<Answer>(shown).grant_ref);
    expect((await server.as(ANA, ['requests', 'show', request_id])).stdout).toContain('Granted');
  });

  it('exits 2 for a request that is not there, and names a missing id', async () => {
    const missing = await server.as(ANA, ['requests', 'show', 'req_none', '--json']);
    expect([missing.code, jsonOf<ErrorDocument>(missing).error.code]).toEqual([2, 'not_found']);
    const unnamed = await server.as(ANA, ['requests', 'show']);
    expect(unnamed.code).toBe(2);
    expect(unnamed.stderr).toContain('Which request?');
  });

  it('cancels by request and by grant, once', async () => {
    const first = await granted();
    const cancelled = await server.as(ANA, ['cancel', '--grant', first.grant_ref, '--json']);
    expect([cancelled.code, jsonOf<Answer>(cancelled).state]).toEqual([0, 'cancelled']);
    const again = await server.as(ANA, ['cancel', first.request_id, '--json']);
    expect([again.code, jsonOf<ErrorDocument>(again).error.code]).toEqual([8, 'already_decided']);
    expect((await server.as(ANA, ['cancel', first.request_id])).code).toBe(8);
    const second = await pending();
    expect((await server.as(ANA, ['cancel', second.request_id])).stdout).toContain('Cancelled');
    expect((await server.as(ANA, ['cancel'])).code).toBe(2);
  });
});

describe('vkit approval', () => {
  it('lists what waits for the caller, with the query that is asked for', async () => {
    const { request_id } = await pending();
    const json = await server.as(FAY, ['approval', 'list', '--json']);
    const item = jsonOf<Answer[]>(json).find(({ id }) => id === request_id);
    expect(item).toMatchObject({ state: 'pending', columns: ['id', 'amount'], requester: ANA });
    const text = await server.as(FAY, ['approval', 'list']);
    expect(text.stdout).toContain(request_id);
    expect(text.stderr).toMatch(/^Next: vkit requests show req_/);
    for (const line of text.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
    expect(jsonOf(await server.as(ANA, ['approval', 'list', '--json']))).toEqual([]);
  });

  it('shows an approver the query, why it waits and what is said of it, and who can fetch it then', async () => {
    const aql = {
      source_table: 'ledger',
      columns: ['id', 'amount'],
      filters: [{ field: 'amount', operator: 'gte', value: 150 }],
      limit: 5,
    };
    const args = ['request', '--aql', JSON.stringify(aql), ...TICKET, '--reason', 'a refund'];
    const asked = jsonOf<Answer>(await server.as(ANA, [...args, '--json']));
    const shown = await server.as(FAY, ['requests', 'show', asked.request_id]);
    for (const fact of ['id, amount', 'amount >= 150', 'ticket=4711', 'a refund', 'waits because'])
      expect(shown.stdout).toContain(fact);
    expect(shown.stdout).toMatch(/limit +5\n/);
    expect(shown.stderr).toContain(`Next: vkit approval approve ${asked.request_id}`);
    const own = await server.as(ANA, ['requests', 'show', asked.request_id]);
    expect(own.stderr).not.toContain('approve');
    const done = await server.as(FAY, ['approval', 'approve', asked.request_id]);
    expect(done.stderr).toMatch(/^ana@example.com can fetch it now/);
    expect((await server.as(FAY, ['approval', 'approve'])).stderr).toContain('vkit approval list');
  });

  it.each([
    ['an argument', (id: string) => ['approval', 'approve', id]],
    ['--request', (id: string) => ['approval', 'grant', '--request', id]],
    ['--request-id', (id: string) => ['approval:approve', '--request_id', id, '--notes', 'fine']],
  ])('approves a request named by %s, and its second time is 8', async (_name, args) => {
    const { request_id } = await pending();
    const done = await server.as(FAY, [...args(request_id), '--ttl', '5m', '--json']);
    expect(done.code).toBe(0);
    const answer = jsonOf<Answer>(done);
    expect(answer.grant_id).toBe(answer.grant_ref);
    const left = Date.parse(String(answer.expires_at)) - Date.now();
    expect(left).toBeLessThanOrEqual(300_000);
    expect((await server.as(FAY, args(request_id))).code).toBe(8);
  });

  it('denies with a reason that the requester reads', async () => {
    const { request_id } = await pending();
    const unnamed = await server.as(FAY, ['approval', 'deny', request_id]);
    expect(unnamed.code).toBe(2);
    expect(unnamed.stderr).toContain('--reason');
    expect((await server.as(FAY, ['approval', 'deny', request_id, '--reason', 'no'])).code).toBe(0);
    const shown = await server.as(ANA, ['requests', 'show', request_id, '--json']);
    expect(jsonOf(shown)).toMatchObject({ state: 'denied', type: 'approval_denied' });
  });

  it('watches: a line for each that comes, until Ctrl-C', async () => {
    const { request_id } = await pending();
    for (const topic of ['approval', 'approvals']) {
      const child = startCli([topic, 'watch', '--interval', '1s'], { env: server.env(FAY) });
      const ended = finished(child);
      await new Promise((resolve) => child.stdout?.once('data', resolve));
      child.kill('SIGINT');
      const result = await ended;
      expect([result.code, result.stderr]).toEqual([130, '']);
      expect(result.stdout).toContain(`${request_id}  ${ANA}  ledger  id, amount`);
    }
    const json = await server.as(FAY, ['approval', 'watch', '--json']);
    expect(jsonOf<Answer[]>(json).map(({ id }) => id)).toContain(request_id);
  });
});

describe('vkit fetch', () => {
  it("prints the server's document under --json, and JSON where nobody watches", async () => {
    const { grant_ref } = await granted();
    const document = jsonOf<{ rows: Answer[]; meta: object }>(
      await server.as(ANA, ['fetch', '--grant', grant_ref, '--json']),
    );
    expect(document.meta).toMatchObject({ row_count: 3, masked_fields: ['email'] });
    expect(document.rows[0]).toMatchObject({ id: 1, note: '=1+1' });
    expect(document.rows[0]?.email).not.toContain('zoe');
    const plain = await server.as(ANA, ['fetch', '-g', grant_ref]);
    expect(jsonOf<typeof document>(plain).rows).toEqual(document.rows);
    const format = await server.as(ANA, ['fetch', grant_ref, '--format', 'json']);
    expect(jsonOf<typeof document>(format).rows).toEqual(document.rows);
  });

  it('prints tables, NDJSON and CSV, escaped for what reads them', async () => {
    const { grant_ref } = await granted();
    const table = await server.as(ANA, ['fetch', '-g', grant_ref, '--format', 'table']);
    expect(table.stdout).toMatch(/^id +email \(full\) +note\n/);
    expect(table.stdout).toContain('\\u001b[2Jgone');
    expect(table.stdout).not.toContain('\u001b');
    expect(table.stderr).toBe('3 rows, masked: email.\n');
    const ndjson = await server.as(ANA, ['fetch', '-g', grant_ref, '--format', 'ndjson']);
    const lines = ndjson.stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).id)).toEqual([1, 2, 3]);
    const csv = await server.as(ANA, ['fetch', '-g', grant_ref, '--format', 'csv']);
    expect(csv.stdout).toContain(`,'=1+1\r\n`);
  });

  it('writes a file whole, by the form its name says', async () => {
    const { grant_ref } = await granted();
    const path = join(server.folder, 'rows.csv');
    const json = await server.as(ANA, ['fetch', '-g', grant_ref, '-o', path, '--json']);
    expect(jsonOf(json)).toMatchObject({ output: path, format: 'csv', grant_id: grant_ref });
    expect((await readFile(path, 'utf8')).split('\r\n')).toHaveLength(5);
    const text = await server.as(ANA, ['fetch', '-g', grant_ref, '--format', 'json', '-o', path]);
    expect(text.code).toBe(0);
    expect(JSON.parse(await readFile(path, 'utf8')).rows).toHaveLength(3);
    const nowhere = join(server.folder, 'no', 'rows.csv');
    expect((await server.as(ANA, ['fetch', '-g', grant_ref, '-o', nowhere])).code).toBe(2);
  });

  it('leaves the file as it was when there is no answer', async () => {
    const path = join(server.folder, 'kept.csv');
    const first = await granted();
    await server.as(ANA, ['fetch', '-g', first.grant_ref, '-o', path]);
    const before = await readFile(path, 'utf8');
    await server.as(ANA, ['grant', 'revoke', first.grant_ref]);
    const refused = await server.as(ANA, ['fetch', '-g', first.grant_ref, '-o', path]);
    expect([refused.code, refused.stdout]).toEqual([3, '']);
    expect(await readFile(path, 'utf8')).toBe(before);
    expect((await readdir(server.folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('refuses a form that is not one JSON document under --json', async () => {
    const result = await server.as(ANA, ['fetch', '-g', 'gr_x', '--format', 'csv', '--json']);
    expect([result.code, jsonOf<ErrorDocument>(result).error.code]).toEqual([2, 'usage']);
  });

  it('exits 2 for a grant that is not there, 3 for one that is over', async () => {
    const missing = await server.as(ANA, ['fetch', '-g', 'gr_none', '--json']);
    expect([missing.code, jsonOf<ErrorDocument>(missing).error.code]).toEqual([2, 'not_found']);
    const short = jsonOf<Answer>(
      await server.as(ANA, ['request', ...CUSTOMERS, '--ttl', '1s', '--json']),
    );
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const over = await server.as(ANA, ['fetch', '-g', short.grant_ref, '--json']);
    expect([over.code, jsonOf<ErrorDocument>(over).error.code]).toEqual([3, 'grant_expired']);
    expect((await server.as(ANA, ['fetch', '-g', short.grant_ref])).code).toBe(3);
    const shown = await server.as(ANA, ['requests', 'show', short.request_id]);
    expect(shown.stderr).toBe('The grant has expired. Ask again: vkit request\n');
  });

  it('stays quiet when its reader goes away', async () => {
    const args = ['request', '--aql', '{"source_table": "numbers", "columns": ["n"]}', '--json'];
    const { grant_ref } = jsonOf<Answer>(await server.as(ANA, args));
    const child = startCli(['fetch', '-g', grant_ref, '--format', 'ndjson'], {
      env: server.env(ANA),
    });
    child.stdout?.once('data', () => child.stdout?.destroy());
    const result = await finished(child);
    expect([result.code, result.stderr]).toEqual([0, '']);
  });
});

describe('vkit grant', () => {
  it('shows a grant and revokes it', async () => {
    const { grant_ref } = await granted();
    const shown = await server.as(ANA, ['grant', 'show', grant_ref, '--json']);
    expect(jsonOf(shown)).toMatchObject({
      id: grant_ref,
      grant_ref,
      grant_id: grant_ref,
      state: 'active',
    });
    const text = await server.as(ANA, [
      'grant',
      'revoke',
      '-g',
      grant_ref,
      '--reason',
      'done with it',
    ]);
    expect(text.code).toBe(0);
    expect(text.stdout).toContain('revoked');
    expect(text.stdout).toContain('done with it');
    expect(text.stdout).toMatch(/revoked +\S+ \S+ UTC \((now|\d+s ago)\)/);
    const { request_id } = jsonOf<Answer>(shown);
    const over = await server.as(ANA, ['requests', 'show', request_id]);
    expect(over.stderr).toBe('The grant was revoked. Ask again: vkit request\n');
    const fetched = await server.as(ANA, ['fetch', '-g', grant_ref, '--json']);
    expect([fetched.code, jsonOf<ErrorDocument>(fetched).error.code]).toEqual([3, 'grant_revoked']);
  });
});

describe('without a server or a login', () => {
  const nobody = { VKIT_API_URL: 'http://127.0.0.1:9', VKIT_TOKEN: 'vks_x' };
  const COMMANDS = [
    ['request', ...CUSTOMERS],
    ['requests', 'list'],
    ['approval', 'list'],
    ['approval', 'approve', 'req_x'],
    ['fetch', '-g', 'gr_x'],
    ['grant', 'show', 'gr_x'],
    ['cancel', 'req_x'],
    ['audit', 'query'],
    ['audit', 'verify'],
    ['user', 'list'],
    ['agents', 'tokens', 'list'],
    ['policy', 'list'],
  ];

  it.each(COMMANDS)(
    'exits 7 when nothing listens, and 6 without a token: %s %s',
    async (...args) => {
      const away = await runCli([...args, '--json'], { env: nobody });
      expect([away.code, away.stderr]).toEqual([7, '']);
      expect(jsonOf<ErrorDocument>(away).error.code).toBe('server_unreachable');
      const env = { XDG_CONFIG_HOME: join(server.folder, 'nobody'), VKIT_API_URL: server.url };
      const stranger = await runCli(args, { env });
      expect([stranger.code, stranger.stdout]).toEqual([6, '']);
      expect(stranger.stderr).toContain('vkit login');
    },
  );
});

it('no output held a password', () => {
  const all = server.outputs.join('\n');
  expect(all).not.toContain(ACCOUNT_PASSWORD);
  expect(all).not.toContain(server.adminPassword);
});
