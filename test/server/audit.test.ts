import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectCheckpoint } from '../../src/audit/checkpoint.js';
import type { AuditRecord } from '../../src/audit/model.js';
import { verifyExport } from '../../src/audit/verify-chain.js';
import type { CheckpointPage, SinksAnswer } from '../../src/client/wire.js';
import type { Job } from '../../src/services/job.js';
import { checkpointFacts, checkpointOfLine } from '../../src/services/read-checkpoints.js';
import { type Governed, governed } from '../helpers/governed.js';
import { shared } from '../helpers/shared.js';
import { sqliteShop } from '../helpers/shop.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

const DAY_MS = 86_400_000;

/** One server for all of them; the file of its sink lies beside its data directory. */
const world = shared(async (atTheEnd) => {
  const ground = await sqliteShop({}, atTheEnd);
  const outside = await temporaryFolder(atTheEnd);
  const path = join(outside, 'audit.jsonl');
  const sinks = [{ type: 'file', name: 'local', path }];
  const audit = { sinks, checkpoint_records: 50, checkpoint_seconds: 60, retention_days: 30 };
  const g = await governed(ground, { audit }, atTheEnd, false);
  const auditor = await g.user({ email: 'aud@acme.test', roles: ['auditor'] });
  return { g, auditor, path };
});

const run = async (g: Governed, name: string): Promise<void> => {
  const job = g.app.jobs.find((one) => one.name === name) as Job;
  await job.run(new AbortController().signal);
};

const append = async (g: Governed, count: number, metadata = {}): Promise<void> => {
  const timestamp = new Date(g.clock.now).toISOString();
  for (let index = 0; index < count; index += 1) {
    await g.app.context.store.record({ event: 'login.succeeded', timestamp, metadata });
  }
};

const keysOf = ({ app }: Governed) => {
  const { kid, publicKey } = app.context.keys.audit;
  return new Map([[kid, publicKey]]);
};

const download = async (g: Governed, token: string, query = '') =>
  g.server.inject({
    method: 'GET',
    url: `/api/v1/orgs/acme/audit/export${query}`,
    headers: { authorization: `Bearer ${token}` },
  });

describe('the audit log', () => {
  it('is signed as a whole once enough records have no checkpoint, or the last one is old', async () => {
    const { g, auditor } = world();
    const list = async (query = '') =>
      (await g.call<CheckpointPage>(auditor, 'GET', `/orgs/acme/audit/checkpoints${query}`)).body;
    await run(g, 'audit-checkpoints');
    const [first] = (await list()).checkpoints;
    await append(g, 10);
    await run(g, 'audit-checkpoints');
    expect((await list()).checkpoints).toHaveLength(1);
    g.clock.now += 60_000;
    await run(g, 'audit-checkpoints');
    await append(g, 50);
    await run(g, 'audit-checkpoints');
    await run(g, 'audit-checkpoints');
    const { checkpoints, next_cursor } = await list('?order=asc&limit=2');
    expect(checkpoints[0]).toEqual(first);
    expect(checkpoints.map(({ seq }) => seq - (first?.seq ?? 0))).toEqual([0, 10]);
    const rest = await list(`?order=asc&cursor=${next_cursor}`);
    expect(rest.checkpoints.map(({ seq }) => seq - (first?.seq ?? 0))).toEqual([60]);
    expect(rest.next_cursor).toBeNull();
    for (const { jws, root, seq } of [...checkpoints, ...rest.checkpoints]) {
      expect(inspectCheckpoint(jws, keysOf(g))).toMatchObject({
        genuine: true,
        checkpoint: { org: 'acme', root, seq },
      });
    }
  });

  it('is read by auditors and administrators alone, and who tries is recorded', async () => {
    const { g } = world();
    const other = await g.user({ email: 'pol@acme.test', roles: ['policy_admin', 'analyst'] });
    const agent = await g.agent({ name: 'agent', roles: ['auditor'] } as never);
    for (const path of ['audit', 'audit/export', 'audit/checkpoints', 'audit/sinks']) {
      for (const token of [other, agent]) {
        expect(await g.call(token, 'GET', `/orgs/acme/${path}`)).toMatchObject({
          status: 403,
          body: { type: 'forbidden' },
        });
      }
    }
    const { body } = await g.call<{ records: AuditRecord[] }>(
      g.admin,
      'GET',
      '/orgs/acme/audit?action=access.refused&limit=8',
    );
    expect(body.records).toHaveLength(8);
    const actions = body.records.map(({ metadata }) => String(metadata?.action));
    expect(actions.filter((action) => action.includes('/audit/export'))).toHaveLength(2);
    expect((await download(g, '')).statusCode).toBe(401);
  });

  it('says why a request was made, and what an agent is called', async () => {
    const { g, auditor } = world();
    const agent = await g.agent({ name: 'reports bot' });
    const aql = { source_table: 'customers', columns: ['id'] };
    const reason = 'break-glass: INC-4711';
    const asked = await g.call(agent, 'POST', '/orgs/acme/requests', { aql, reason });
    expect(asked).toMatchObject({ body: { state: 'denied' } });
    const path = '/orgs/acme/audit?action=request.denied&limit=1';
    const { body } = await g.call<{ records: AuditRecord[] }>(auditor, 'GET', path);
    expect(body.records).toMatchObject([
      {
        requester: { kind: 'agent', name: 'reports bot', user_id: expect.stringMatching(/^agt_/) },
        metadata: { request_reason: reason },
      },
    ]);
    const csv = await download(g, auditor, '?format=csv&action=request.denied');
    expect(csv.body).toContain(',reports bot,');
    expect(csv.body).toContain(`,${reason},`);
  });

  it('comes as JSON Lines that verify, page by page, and as CSV that no spreadsheet runs', async () => {
    const { g, auditor } = world();
    await append(g, 1_200, { notes: '=cmd|x' });
    const lines = await download(g, auditor);
    expect(lines.headers['content-type']).toBe('application/jsonl; charset=utf-8');
    const verdict = await verifyExport([Buffer.from(lines.body)], { keys: keysOf(g) });
    const head = await g.app.context.store.audit.head();
    expect(verdict).toMatchObject({ ok: true, count: head?.seq, last: head });
    const csv = await download(g, auditor, '?format=csv&action=login.succeeded&limit=1150');
    const rows = csv.body.split('\r\n');
    expect(rows).toHaveLength(1152);
    expect(rows[0]).toMatch(/^seq,timestamp,event,audit_id,/);
    expect(rows[1100]).toContain("'=cmd|x");
    expect(csv.body).not.toMatch(/(^|,)"?=cmd/m);
    expect((await download(g, auditor, '?format=xml')).statusCode).toBe(400);
    expect((await download(g, auditor, '?order=asc')).statusCode).toBe(400);
  });

  it('stops coming when the reader has lost the right meanwhile', async () => {
    const { g } = world();
    const token = await g.user({ email: 'gone@acme.test', roles: ['auditor'] });
    const { context } = g.app;
    const lines = context.store.audit.lines;
    const user = await context.store.users.byEmail('gone@acme.test');
    context.store.audit.lines = async (filter) => {
      await context.store.users.update(user?.id ?? '', { roles: [] });
      return lines(filter);
    };
    try {
      // The connection is cut: what came is not taken for the whole.
      await expect(download(g, token)).rejects.toThrow();
    } finally {
      context.store.audit.lines = lines;
    }
  });

  it('tells how far behind its sinks are, and what they got verifies as it is', async () => {
    const { g, auditor, path } = world();
    const lag = async () =>
      (await g.call<SinksAnswer>(auditor, 'GET', '/orgs/acme/audit/sinks')).body.sinks;
    expect(await lag()).toMatchObject([{ id: 'local', type: 'file', seq: 0 }]);
    await run(g, 'audit-sink:local');
    expect(await lag()).toMatchObject([{ records: 0, seconds: 0, failures: 0, last_error: null }]);
    const bytes = await readFile(path);
    const checkpoints = bytes
      .toString()
      .split('\n')
      .map(checkpointOfLine)
      .filter((jws) => jws !== undefined)
      .map((jws) => checkpointFacts(jws, keysOf(g), 'of the file'));
    const verdict = await verifyExport([bytes], {
      keys: keysOf(g),
      checkpoints,
      skip: (line) => checkpointOfLine(line) !== undefined,
    });
    expect(verdict).toMatchObject({ ok: true, checkpoints: { matched: checkpoints.length } });
    expect(checkpoints.length).toBeGreaterThan(2);
  });

  it('loses its old records only behind its sinks, and verifies from there on', async () => {
    const { g, auditor } = world();
    const { store } = g.app.context;
    g.clock.now += 10 * DAY_MS;
    await append(g, 5);
    await run(g, 'audit-checkpoints');
    const until = (await store.auditCheckpoints.last())?.seq ?? 0;
    const first = async () => (await store.audit.first())?.seq;
    g.clock.now += 31 * DAY_MS;
    await append(g, 3);
    await run(g, 'audit-retention');
    const before = await first();
    // The sink has what is up to the checkpoint before: nothing beyond that goes.
    expect(before).toBeLessThanOrEqual(until);
    await run(g, 'audit-sink:local');
    await run(g, 'audit-retention');
    expect(await first()).toBe(until + 1);
    const token = await g.user({ email: 'late@acme.test', roles: ['auditor'] });
    const text = (await download(g, token)).body;
    const [anchor = ''] = text.split('\n');
    const checkpoints = [checkpointFacts(checkpointOfLine(anchor), keysOf(g), 'of the export')];
    const options = {
      keys: keysOf(g),
      checkpoints,
      skip: (line: string) => checkpointOfLine(line) !== undefined,
    };
    expect(await verifyExport([Buffer.from(text)], options)).toMatchObject({
      ok: true,
      first: { seq: until + 1 },
      begins_after: { seq: until },
    });
    // Without the record that says so, the beginning is missing.
    const cut = text.split('\n').filter((line) => !line.includes('audit.records_removed'));
    expect(await verifyExport([Buffer.from(cut.join('\n'))], options)).toMatchObject({ ok: false });
    expect((await g.call(auditor, 'GET', '/orgs/acme/audit')).status).toBe(401);
  });
});

describe('a file sink', () => {
  it('does not write into the data directory, through no link, and into no foreign file', async () => {
    const { g } = world();
    const { openSink } = await import('../../src/audit/sinks/index.js');
    const { sinkDependencies } = await import('../conformance/sink-grounds.js');
    const dependencies = sinkDependencies(g.config.data_dir);
    const open = (path: string) =>
      openSink({ type: 'file', name: 'x', path } as never, dependencies);
    const config_invalid = { code: 'config_invalid' };
    await expect(open(join(g.config.data_dir, 'a.jsonl'))).rejects.toMatchObject(config_invalid);
    await expect(open(join(g.config.data_dir, 'keys', 'a'))).rejects.toMatchObject(config_invalid);
    await expect(open(join(g.folder, 'none', 'a.jsonl'))).rejects.toMatchObject(config_invalid);
    await mkdir(join(g.folder, 'a-folder'));
    await expect(open(join(g.folder, 'a-folder'))).rejects.toMatchObject(config_invalid);
    const { symlink } = await import('node:fs/promises');
    await symlink(g.config.data_dir, join(g.folder, 'link'));
    await expect(open(join(g.folder, 'link', 'vkit.db'))).rejects.toMatchObject(config_invalid);
    const foreign = join(g.folder, 'notes.txt');
    await writeFile(foreign, 'my notes, without an end');
    const { sink } = await open(foreign);
    const entry = { kind: 'record', seq: 1, hash: 'h', timestamp: '', line: '{"seq":1}' } as const;
    const position = { seq: 0, hash: null, logSeq: 1 };
    const delivered = sink.deliver([entry], new AbortController().signal, position);
    await expect(delivered).rejects.toMatchObject({ code: 'conflict' });
    expect(await readFile(foreign, 'utf8')).toBe('my notes, without an end');
  });
});
