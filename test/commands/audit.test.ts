import type { ChildProcess } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../src/audit/model.js';
import { VkitClient } from '../../src/client/vkit-client.js';
import { ADMIN, type LiveServer, liveServer } from '../helpers/live-server.js';
import { finished, jsonOf, runCli, startCli } from '../helpers/run-cli.js';

type Item = AuditRecord & { id: string };
type ErrorDocument = { error: { code: string } };
type Verdict = { status: string; ok: boolean; count: number; last: { seq: number; hash: string } };

const ANA = 'ana@example.com';
const FAY = 'fay@example.com';

let server: LiveServer;
let requestId: string;

beforeAll(async () => {
  server = await liveServer();
  await server.account(ANA, ['analyst']);
  await server.account(FAY, ['finance']);
  await admin('policy', 'deploy', '--bundle', await server.bundle(1));
  const aql = '{"source_table": "ledger", "columns": ["id", "amount"]}';
  const metadata = '{"ticket": "4711", "requester": "eve@example.com"}';
  const asking = ['request', '--aql', aql, '--metadata', metadata];
  const args = [...asking, '--reason', 'break-glass: INC-4711', '--json'];
  const asked = jsonOf<{ request_id: string }>(await server.as(ANA, args));
  requestId = asked.request_id;
  const approved = await server.as(FAY, ['approval', 'approve', requestId, '--json']);
  const { grant_ref } = jsonOf<{ grant_ref: string }>(approved);
  expect((await server.as(ANA, ['fetch', '-g', grant_ref])).code).toBe(0);
}, 120_000);

afterAll(async () => {
  await server?.stop();
});

const admin = (...args: string[]) => server.as(ADMIN, args);

describe('vkit audit query', () => {
  it('lists records newest first, with an id each', async () => {
    const records = jsonOf<Item[]>(await admin('audit', 'query', '--limit', '5', '--json'));
    expect(records).toHaveLength(5);
    expect(records.every(({ id, audit_id }) => id === audit_id)).toBe(true);
    expect(records[0]?.seq).toBeGreaterThan(records[4]?.seq ?? 0);
    expect((await admin('audit', 'query')).stdout).toMatch(/^seq +timestamp +event +requester/);
  });

  it('narrows by person, event, dataset and time', async () => {
    const executed = await admin('audit', 'query', '--action', 'query.executed', '--json');
    expect(jsonOf<Item[]>(executed)).toHaveLength(1);
    const ana = await admin('audit', 'query', '--user', ANA, '--dataset', 'ledger', '--json');
    const events = jsonOf<Item[]>(ana).map(({ event }) => event);
    expect(events).toContain('query.started');
    const today = new Date().toISOString().slice(0, 10);
    const all = jsonOf<Item[]>(await admin('audit', 'query', '--days', '2', '--json'));
    const day = ['--start-date', today, '--end-date', today];
    const ofToday = jsonOf<Item[]>(await admin('audit', 'query', ...day, '--json'));
    expect(ofToday.length).toBeGreaterThan(0);
    expect(ofToday.length).toBeLessThanOrEqual(all.length);
    const before = await admin('audit', 'query', '--end-date', '2020-01-01', '--json');
    expect(jsonOf(before)).toEqual([]);
    const bad = await admin('audit', 'query', '--start-date', '2026-02-30');
    expect([bad.code, bad.stdout]).toEqual([2, '']);
    expect(bad.stderr).toContain('--start-date');
  });

  it('tells of one request as one object', async () => {
    const json = await admin('audit', 'query', '--request', requestId, '--json');
    expect(jsonOf(json)).toMatchObject({
      request_id: requestId,
      requester: ANA,
      approved_by: FAY,
      queries_executed: 1,
      rows_accessed: 2,
      reason: 'break-glass: INC-4711',
      dataset: 'ledger',
      columns: ['id', 'amount'],
      policies: expect.arrayContaining(['ledger_needs_approval']),
      grant_id: expect.stringMatching(/^gr_/),
      denied_by: null,
      metadata: { ticket: '4711', requester: 'eve@example.com' },
      metadata_keys: ['requester', 'ticket'],
      timeline: expect.any(Array),
    });
    const { stdout } = await admin('audit', 'query', '--request', requestId);
    expect(stdout).toMatch(/ approved by +fay@example.com\n/);
    expect(stdout).toMatch(/ reason +break-glass: INC-4711\n/);
    expect(stdout).toMatch(/ requester +ana@example.com\n/);
    expect(stdout).toMatch(/ metadata requester +eve@example.com\n/);
    const none = await admin('audit', 'query', '--request', 'req_none', '--json');
    expect([none.code, jsonOf<ErrorDocument>(none).error.code]).toEqual([2, 'not_found']);
  });

  it('tells of a denied request who denied it and why', async () => {
    const aql = '{"source_table": "secrets", "columns": ["id"]}';
    const asked = await server.as(ANA, ['request', '--aql', aql, '--reason', 'curious', '--json']);
    expect(asked.code).toBe(3);
    const listed = await admin('audit', 'query', '--action', 'request.denied', '--json');
    const id = jsonOf<Item[]>(listed)[0]?.request?.request_id ?? '';
    expect(jsonOf(await admin('audit', 'query', '--request', id, '--json'))).toMatchObject({
      reason: 'curious',
      denied_by: 'policy',
      denied_at: expect.any(String),
      denied_reason: 'Secrets stay secret.',
      policies: ['nobody_reads_secrets'],
      grant_id: null,
    });
    const { stdout } = await admin('audit', 'query', '--request', id);
    expect(stdout).toMatch(/ denied because +Secrets stay secret\.\n/);
    const ledger = '{"source_table": "ledger", "columns": ["id"]}';
    const args = ['request', '--aql', ledger, '--reason', 'without a ticket', '--json'];
    expect((await server.as(ANA, args)).code).toBe(2);
    const refused = await admin('audit', 'query', '--action', 'request.refused', '--json');
    expect(jsonOf<Item[]>(refused)[0]?.metadata?.request_reason).toBe('without a ticket');
  });

  it('writes CSV and JSON Lines, to a file too', async () => {
    const csv = await admin('audit', 'query', '--format', 'csv', '--limit', '3');
    expect(csv.stdout.trimEnd().split('\n')).toHaveLength(4);
    const path = join(server.folder, 'query.jsonl');
    await admin('audit', 'query', '--format', 'jsonl', '--limit', '3', '--output', path);
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).event)).toHaveLength(3);
  });

  it('is for auditors', async () => {
    expect((await server.as(ANA, ['audit', 'query'])).code).toBe(6);
    expect((await server.as(ANA, ['audit', 'verify', '--json'])).code).toBe(6);
  });

  it('pages through more records than one answer holds', { timeout: 120_000 }, async () => {
    const file = join(server.env(ANA).XDG_CONFIG_HOME ?? '', 'vkit', 'credentials.json');
    const { profiles } = JSON.parse(await readFile(file, 'utf8'));
    const options = { baseUrl: server.url, userAgent: 'test', token: profiles.default.token };
    const client = new VkitClient(options);
    const denied = { aql: { source_table: 'secrets', columns: ['id'] } };
    for (let turn = 0; turn < 26; turn += 1) {
      await Promise.all(Array.from({ length: 20 }, () => client.submitRequest(denied)));
    }
    const all = jsonOf<Item[]>(await admin('audit', 'query', '--limit', '100000', '--json'));
    const seqs = all.map(({ seq }) => seq);
    expect(seqs.length).toBeGreaterThan(520);
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, index) => seqs.length - index));
    expect(jsonOf<Verdict>(await admin('audit', 'verify', '--json')).count).toBe(seqs.length);
  });
});

describe('vkit audit export and verify', () => {
  it("verifies the server's log and says where it ends", async () => {
    const text = await admin('audit', 'verify');
    expect([text.code, text.stderr]).toEqual([
      0,
      expect.stringMatching(/^A tail that was cut off/),
    ]);
    expect(text.stdout).toMatch(/^The audit log verifies\./);
    const verdict = jsonOf<Verdict>(await admin('audit', 'verify', '--json'));
    expect(verdict).toMatchObject({ status: 'verified', ok: true, count: verdict.last.seq });
    expect(text.stdout).toContain(verdict.last.hash);
  });

  it('exports every record, and verifies the file offline', async () => {
    const path = join(server.folder, 'audit.jsonl');
    const wrote = await admin('audit', 'export', '--output', path, '--json');
    const { count } = jsonOf<Verdict>(wrote);
    const plain = await admin('audit', 'export');
    expect(plain.stdout).toBe(await readFile(path, 'utf8'));
    expect(jsonOf<Item[]>(await admin('audit', 'export', '--json'))).toHaveLength(count);
    const key = await jwksFile();
    const offline = await runCli(['audit', 'verify', path, '--key', key, '--json']);
    expect([offline.code, jsonOf<Verdict>(offline).count]).toEqual([0, count]);
  });

  it('takes nothing for no proof, and says where nothing was found', async () => {
    const path = join(server.folder, 'empty.jsonl');
    await writeFile(path, '');
    const args = ['audit', 'verify', path, '--key', await jwksFile()];
    const text = await runCli(args);
    expect([text.code, text.stderr]).toEqual([3, '']);
    expect(text.stdout).toContain('does not verify. It holds no records.');
    expect(jsonOf<Verdict>(await runCli([...args, '--json']))).toMatchObject({ ok: false });
    const none = await admin('audit', 'query', '--user', 'nobody@example.com');
    expect([none.code, none.stdout, none.stderr]).toEqual([0, '', 'There are none.\n']);
    expect(jsonOf(await admin('audit', 'query', '--user', 'nobody@example.com', '--json'))).toEqual(
      [],
    );
  });

  it('names the first bad record and exits 3', async () => {
    const path = join(server.folder, 'changed.jsonl');
    await admin('audit', 'export', '--output', path);
    const lines = (await readFile(path, 'utf8')).split('\n');
    lines[4] = (lines[4] ?? '').replace(/"timestamp":"2/, '"timestamp":"3');
    await writeFile(path, lines.join('\n'));
    const key = await jwksFile();
    const json = await runCli(['audit', 'verify', '--file', path, '--key', key, '--json']);
    expect([json.code, json.stderr]).toEqual([3, '']);
    const verdict = jsonOf<Verdict & { problem: object }>(json);
    expect(verdict).toMatchObject({ status: 'broken', ok: false, count: 4 });
    expect(verdict.problem).toMatchObject({ seq: 5, kind: 'changed' });
    const text = await runCli(['audit', 'verify', path, '--key', key]);
    expect([text.code, text.stderr]).toEqual([3, '']);
    expect(text.stdout).toContain('Record 5');
    lines.splice(4, 1);
    await writeFile(path, lines.join('\n'));
    const removed = await runCli(['audit', 'verify', path, '--key', key]);
    expect([removed.code, removed.stdout]).toEqual([3, expect.stringContaining('removed')]);
  });

  it('verifies a part of the log when that is said', async () => {
    const path = join(server.folder, 'part.jsonl');
    await admin('audit', 'export', '--output', path);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.split('\n').slice(3).join('\n'));
    const key = await jwksFile();
    expect((await runCli(['audit', 'verify', path, '--key', key])).code).toBe(3);
    expect((await runCli(['audit', 'verify', path, '--key', key, '--partial'])).code).toBe(0);
  });

  it('takes no key of another server, no private key and no missing file', async () => {
    const path = join(server.folder, 'keyed.jsonl');
    await admin('audit', 'export', '--output', path);
    const keys = join(server.folder, 'keys');
    const verify = (key: string) => runCli(['audit', 'verify', path, '--key', key]);
    expect((await verify(join(keys, 'vkit_pub.pem'))).code).toBe(3);
    const exposed = await verify(join(keys, 'vkit_priv.pem'));
    expect([exposed.code, exposed.stderr]).toEqual([2, expect.stringContaining('private key')]);
    expect((await verify('nothing.pem')).code).toBe(2);
    const unkeyed = await runCli(['audit', 'verify', path], {
      env: { VKIT_API_URL: 'http://127.0.0.1:9' },
    });
    expect([unkeyed.code, unkeyed.stderr]).toEqual([
      2,
      expect.stringContaining('--key is missing'),
    ]);
    const nothing = await runCli(['audit', 'verify', 'nothing.jsonl', '--key', await jwksFile()]);
    expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining('nothing.jsonl')]);
  });
});

describe('vkit audit verify --checkpoint', () => {
  it('finds a tail that was cut off against what was kept elsewhere, and says so', async () => {
    const kept = join(server.folder, 'kept.jsonl');
    await admin('audit', 'export', '--output', kept);
    const key = await jwksFile();
    const short = join(server.folder, 'short.jsonl');
    const lines = (await readFile(kept, 'utf8')).split('\n');
    await writeFile(short, `${lines.slice(0, -3).join('\n')}\n`);
    const alone = await runCli(['audit', 'verify', short, '--key', key]);
    expect(alone.code).toBe(0);
    expect(alone.stderr).toContain(
      'a checkpoint, what a sink was sent, or an export (--checkpoint).',
    );
    const cut = await runCli(['audit', 'verify', short, '--key', key, '--checkpoint', kept]);
    expect([cut.code, cut.stderr]).toEqual([3, '']);
    expect(cut.stdout).toContain('The end of the log was cut off');
    const whole = await admin('audit', 'verify', '--checkpoint', kept, '--json');
    expect(whole.code).toBe(0);
    expect(jsonOf(whole)).toMatchObject({ ok: true, checkpoints: { matched: expect.any(Number) } });
  });

  it('takes what the server answers, and nothing that is not genuine', async () => {
    await admin('user', 'update', ANA, '--region', 'US');
    const token = await tokenOf(ADMIN);
    const path = join(server.folder, 'checkpoints.json');
    const get = () =>
      fetch(`${server.url}/api/v1/orgs/default/audit/checkpoints`, {
        headers: { authorization: `Bearer ${token}` },
      });
    let text = '';
    for (let tries = 0; tries < 100 && !text.includes('"jws"'); tries += 1) {
      await sleep(100);
      text = await (await get()).text();
    }
    await writeFile(path, text);
    expect((await admin('audit', 'verify', '--checkpoint', path)).code).toBe(0);
    await writeFile(path, text.replace(/"jws":"(.)/, '"jws":"x$1'));
    const forged = await admin('audit', 'verify', '--checkpoint', path, '--json');
    expect([forged.code, jsonOf<ErrorDocument>(forged).error.code]).toEqual([3, 'audit_broken']);
    await writeFile(path, '{}');
    expect((await admin('audit', 'verify', '--checkpoint', path)).code).toBe(2);
  });
});

describe('vkit audit export', () => {
  it('writes CSV for spreadsheets, filtered as a query is', async () => {
    const path = join(server.folder, 'audit.csv');
    const args = ['audit', 'export', '--format', 'csv', '--user', ANA, '--days', '2'];
    expect((await admin(...args, '--output', path)).code).toBe(0);
    const text = await readFile(path, 'utf8');
    expect(text.split('\r\n')[0]).toMatch(/^seq,timestamp,event/);
    expect(text).toContain(ANA);
    expect(text).not.toContain(FAY);
    expect((await admin(...args, '--limit', '2')).stdout.trimEnd().split('\n')).toHaveLength(3);
    expect((await admin(...args, '--json')).code).toBe(2);
    expect((await server.as(ANA, ['audit', 'export'])).code).toBe(6);
  });
});

describe('the story of a request', () => {
  it('says that the approver approved, and what was read', async () => {
    const query = await admin('audit', 'query', '--request', requestId, '--json');
    const { timeline, ticket } = jsonOf<{
      timeline: { event: string; who: string; rows?: number }[];
      ticket: string;
    }>(query);
    expect(ticket).toBe('4711');
    const who = Object.fromEntries(timeline.map((entry) => [entry.event, entry.who]));
    expect(who).toMatchObject({
      'request.pending': ANA,
      'approval.approved': FAY,
      'request.granted': FAY,
      'grant.issued': FAY,
      'query.executed': ANA,
    });
    expect(timeline.find(({ event }) => event === 'query.executed')?.rows).toBe(2);
  });
});

describe('vkit audit tail', () => {
  it('goes on after a number, one record a line', async () => {
    const args = ['audit', 'tail', '--after', '2', '--format', 'jsonl', '--interval', '1s'];
    const child = startCli(args, { env: server.env(ADMIN) });
    const ended = finished(child);
    await linesOf(child).reach(3);
    child.kill('SIGINT');
    const { stdout } = await ended;
    const seqs = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as AuditRecord).seq);
    expect(seqs).toEqual(seqs.map((_, index) => index + 3));
  });

  it('prints the last records, then each new one, until Ctrl-C', async () => {
    const args = ['audit', 'tail', '--limit', '1', '--interval', '1s', '--action', 'user.updated'];
    await admin('user', 'update', ANA, '--region', 'US');
    const child = startCli(args, { env: server.env(ADMIN) });
    const ended = finished(child);
    const lines = linesOf(child);
    await lines.reach(2);
    await admin('user', 'update', ANA, '--region', 'EU');
    await lines.reach(3);
    child.kill('SIGINT');
    const result = await ended;
    expect([result.code, result.stderr]).toEqual([130, '']);
    const [head = '', ...printed] = result.stdout.trimEnd().split('\n');
    expect(head).toMatch(/^seq +timestamp +event +requester +dataset +request$/);
    expect(printed.map((line) => line.indexOf(ADMIN))).toEqual([
      head.indexOf('requester'),
      head.indexOf('requester'),
    ]);
    const json = await admin('audit', 'tail', '--limit', '2', '--json');
    expect(jsonOf<Item[]>(json)).toHaveLength(2);
  });
});

/** Waits until a started command has printed so many lines. */
function linesOf(child: ChildProcess): { reach(count: number): Promise<void> } {
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  return {
    async reach(count) {
      while (text.split('\n').length <= count) await sleep(50);
    },
  };
}

/** The token of somebody's login, as the command line keeps it. */
async function tokenOf(who: string): Promise<string> {
  const file = join(server.env(who).XDG_CONFIG_HOME ?? '', 'vkit', 'credentials.json');
  const text = await readFile(file, 'utf8');
  return /vks_[\w-]+/.exec(text)?.[0] ?? '';
}

/** The server's public keys in a file, as an auditor keeps them. */
async function jwksFile(): Promise<string> {
  const path = join(server.folder, 'jwks.json');
  const response = await fetch(`${server.url}/.well-known/jwks.json`);
  await writeFile(path, await response.text());
  return path;
}
