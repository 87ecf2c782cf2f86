import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../src/audit/model.js';
import { verifyChain } from '../../src/audit/verify-chain.js';
import type { Store } from '../../src/store/model.js';
import { openStore } from '../../src/store/open-store.js';
import { KEYS, SIGNER } from '../audit/chain-fixture.js';
import { startWriter } from './writer-process.js';

const ROUNDS = 5;
const WRITERS = 8;

let home: string;
let dataDir: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'vkit-crash-'));
  dataDir = join(home, 'data');
});

afterEach(() => rm(home, { recursive: true, force: true }));

describe('a server killed with SIGKILL while it writes', () => {
  it(`has lost nothing that it acknowledged, ${ROUNDS} times over`, async () => {
    const acknowledged = new Map<string, string>();
    for (let round = 1; round <= ROUNDS; round += 1) {
      const writer = startWriter(dataDir, WRITERS);
      // Another number of transactions each time, so that the kill meets another moment.
      await writer.printed(1 + 60 * round + Math.floor(Math.random() * 40));
      await writer.kill();
      expect(writer.lines[0]).toBe('ready');
      for (const line of writer.lines.slice(1)) {
        const [request = '', audit = ''] = line.split(' ');
        acknowledged.set(request, audit);
      }
      const store = await openStore({ dataDir, signer: SIGNER, now: Date.now });
      try {
        await expectWhole(store, acknowledged);
      } finally {
        await store.close();
      }
    }
    expect(acknowledged.size).toBeGreaterThan(ROUNDS * 60);
  }, 120_000);
});

async function expectWhole(store: Store, acknowledged: ReadonlyMap<string, string>): Promise<void> {
  const log = await allRecords(store);
  expect(await verifyChain(log, { keys: KEYS })).toMatchObject({ ok: true, count: log.length });
  const recorded = new Map(log.map((record) => [record.request?.request_id, record.audit_id]));
  for (const [request, audit] of acknowledged) expect(recorded.get(request)).toBe(audit);
  // What was not acknowledged may be there, but only whole.
  const requests = await store.requests.list({ limit: 10_000 });
  expect(requests).toHaveLength(log.length);
  for (const { id, state } of requests) {
    expect(state).toBe('approved');
    expect(recorded.has(id)).toBe(true);
    expect(await store.grants.byRequest(id)).not.toBeNull();
  }
}

async function allRecords(store: Store): Promise<AuditRecord[]> {
  const log: AuditRecord[] = [];
  for (;;) {
    const page = await store.audit.list({ order: 'asc', limit: 500, afterSeq: log.length });
    if (page.length === 0) return log;
    log.push(...page);
  }
}
