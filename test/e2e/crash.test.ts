import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { AuditRecord } from '../../src/audit/model.js';
import { unknownOutcomes } from '../../src/audit/unknown-outcomes.js';
import { type ChainPosition, verifyChain } from '../../src/audit/verify-chain.js';
import { emptyState, findPostgres } from '../helpers/postgres.js';
import {
  Answered,
  agentClient,
  approvalClient,
  callServer,
  type Ledger,
  merge,
  newLedger,
  type Traffic,
} from './crash-client.js';
import { type ServeProcess, startServe } from './serve-process.js';
import { idle, setUpServer } from './set-up-server.js';

/** On each state; `npm run crash` has 200. */
const ROUNDS = Number(process.env.VKIT_CRASH_ROUNDS ?? 10);
const AGENTS = 10;
const IN_FLIGHT_MIN = 8;
/** Rounds in which too little was in flight do not count; more than these are no accident. */
const EMPTY_ROUNDS_MAX = ROUNDS + 3;
const CALLS_PER_ROUND = 30;
const WORK_MS_MAX = 30_000;
const ROUND_MS_MAX = 30_000;
/** A round's grants that are fetched from again, and at the end those of all rounds. */
const GRANTS_FETCHED_AGAIN = 4;
const GRANTS_FETCHED_AT_THE_END = 50;
const ASKED_AT_ONCE = 8;
/** More than an answer has that waits for its outcome before it leaves. */
const ROWS = 300;

const POLICIES = [
  'id: allow_orders\nmatch: {dataset: orders}\naction: {allow: true, ttl: 8h}\n',
  'id: amounts_need_finance\nmatch: {fields: {any: [amount]}}\naction: {require_approval: true, approver_role: finance, reason: Money, ttl: 8h}\n',
];

/** What was read of the audit log so far, verified up to its last record. */
interface ReadLog {
  records: AuditRecord[];
  last?: ChainPosition;
}

const postgres = await findPostgres();

it.for(['SQLite', 'PostgreSQL'] as const)(
  `a server with its state in %s killed with SIGKILL has lost nothing that it acknowledged, ${ROUNDS} times over`,
  { timeout: 60_000 + ROUNDS * ROUND_MS_MAX },
  async (state, context) => {
    if (state === 'PostgreSQL' && postgres.url === null) context.skip(postgres.reason);
    const database = state === 'PostgreSQL' ? await emptyState(postgres.url ?? '') : null;
    if (database) onTestFinished(database.discard);
    const { options, admin, agents, approver } = await setUpServer({
      policies: POLICIES,
      agents: AGENTS,
      rows: ROWS,
      ...(database ? { databaseUrl: database.url } : {}),
    });
    const ledger = newLedger();
    const killedWith: number[] = [];
    const log: ReadLog = { records: [] };
    let empty = 0;
    let server = await startServe(options);
    while (killedWith.length < ROUNDS) {
      const { told, inFlight } = await crash(server, agents, approver);
      merge(ledger, told);
      if (inFlight >= IN_FLIGHT_MIN) killedWith.push(inFlight);
      else empty += 1;
      expect(empty).toBeLessThan(EMPTY_ROUNDS_MAX);
      // What stands after the kill is what the next round goes on with.
      server = await startServe(options);
      const added = await readOn(server.url, admin, log);
      expectRecords(added, told);
      await expectState(server.url, told, GRANTS_FETCHED_AGAIN);
    }
    // Once more, all of it: a later kill may have taken what an earlier one had left.
    const whole: ReadLog = { records: [] };
    await readOn(server.url, admin, whole);
    expectRecords(whole.records, ledger);
    await expectState(server.url, ledger, GRANTS_FETCHED_AT_THE_END);
    await server.kill();
    const { calls, requests, grants, revoked, fetches, rowsSeen } = ledger;
    const approved = calls.filter(({ what }) => what === 'approval.approved');
    process.stdout.write(
      `crash on ${state}: ${ROUNDS} kills with ${Math.min(...killedWith)} to ${Math.max(...killedWith)} calls in flight (${empty} more with fewer); ` +
        `acknowledged and found: ${calls.length} changes, ${requests.length} requests, ${grants.length} grants, ` +
        `${approved.length} approvals, ${revoked.length} revocations, ${fetches.length} answers of ${ROWS} rows (${rowsSeen.length} begun); ` +
        `${whole.records.length} audit records verify, ${unknownOutcomes(whole.records).length} outcomes unknown\n`,
    );
    expect(requests.length).toBeGreaterThan(ROUNDS * 8);
    expect(fetches.length).toBeGreaterThan(ROUNDS * 5);
    expect(revoked.length).toBeGreaterThan(0);
    expect(approved.length).toBeGreaterThan(0);
  },
);

/** Lets everybody work for a while, another one each time, and kills the server in the midst of it. */
async function crash(
  server: ServeProcess,
  agents: readonly string[],
  approver: string,
): Promise<{ told: Ledger; inFlight: number }> {
  const traffic = idle(server.url);
  const clients = agents.map((token, number) =>
    number < 2 ? approvalClient(traffic, token, approver) : agentClient(traffic, token),
  );
  const failed = Promise.race(clients).then(() => undefined);
  failed.catch(() => undefined);
  const until = Date.now() + WORK_MS_MAX;
  while (traffic.answered < CALLS_PER_ROUND && Date.now() < until) {
    await Promise.race([wait(10), failed]);
  }
  // And then some, so that the kill meets another moment each time.
  await Promise.race([wait(Math.random() * 200), failed]);
  const { inFlight } = traffic;
  traffic.stopped = true;
  await server.kill();
  const told = newLedger();
  for (const ledger of await Promise.all(clients)) merge(told, ledger);
  return { told, inFlight };
}

/** Reads the records that came since, and verifies that they go on from the last one. */
async function readOn(url: string, admin: string, log: ReadLog): Promise<readonly AuditRecord[]> {
  const added = await recordsAfter(url, admin, log.last?.seq ?? 0);
  const verdict = await verifyChain(added, {
    keys: await auditKeys(url),
    ...(log.last === undefined ? {} : { from: log.last }),
  });
  expect(verdict).toMatchObject({ ok: true, count: added.length });
  log.records.push(...added);
  if (verdict.last) log.last = verdict.last;
  return added;
}

/** Everything that the clients were told is on record, and as they were told. */
function expectRecords(records: readonly AuditRecord[], ledger: Ledger): void {
  const events = new Map<string, AuditRecord[]>();
  for (const record of records) {
    const id = record.correlation_id ?? '';
    const known = events.get(id);
    if (known) known.push(record);
    else events.set(id, [record]);
  }
  const eventOf = (id: string, name: string) => events.get(id)?.find(({ event }) => event === name);
  for (const { correlationId, what } of ledger.calls) {
    expect([what, eventOf(correlationId, what)?.event]).toEqual([what, what]);
  }
  for (const { id, correlationId } of ledger.requests) {
    expect(events.get(correlationId)?.[0]?.request?.request_id).toBe(id);
  }
  const issued = new Set(
    records
      .filter(({ event }) => event === 'grant.issued')
      .map(({ metadata }) => metadata?.grant_id),
  );
  for (const { ref } of ledger.grants) expect(issued).toContain(ref);
  // No row has left without the record that it will; and who had the whole answer is on record with its number of rows.
  for (const id of ledger.rowsSeen) expect(eventOf(id, 'query.started')).toBeDefined();
  for (const { correlationId, rows } of ledger.fetches) {
    expect(rows).toBe(ROWS);
    expect(eventOf(correlationId, 'query.executed')?.execution?.rows_returned).toBe(rows);
  }
}

async function expectState(url: string, ledger: Ledger, fetchedMax: number): Promise<void> {
  const traffic = idle(url);
  await atOnce(ledger.requests, async ({ id, token }) => {
    const path = `/orgs/acme/requests/${id}`;
    const { body } = await callServer<{ request_id: string }>(traffic, token, 'GET', path);
    expect(body.request_id).toBe(id);
  });
  const revoked = new Set(ledger.revoked.map(({ ref }) => ref));
  await atOnce(ledger.grants, async ({ ref, token }) => {
    const path = `/orgs/acme/grants/${ref}`;
    const { body } = await callServer<{ state: string }>(traffic, token, 'GET', path);
    if (revoked.has(ref)) expect(body.state).toBe('revoked');
  });
  // Spread over all clients and rounds.
  const step = Math.ceil(ledger.grants.length / fetchedMax);
  for (const { ref, token } of ledger.grants.filter((_grant, index) => index % step === 0)) {
    const status = await fetchAgain(traffic, token, ref);
    // A revocation may have been done whose answer did not come, but never the other way round.
    if (revoked.has(ref)) expect(status).toBe('grant_revoked');
    else expect(['fetched', 'grant_revoked']).toContain(status);
  }
}

async function atOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, worker));
}

async function fetchAgain(traffic: Traffic, token: string, ref: string): Promise<string> {
  try {
    const path = `/orgs/acme/grants/${ref}/fetch`;
    const { body } = await callServer<{ rows: object[] }>(traffic, token, 'POST', path, {});
    expect(body.rows).toHaveLength(ROWS);
    return 'fetched';
  } catch (error) {
    if (!(error instanceof Answered)) throw error;
    return (JSON.parse(error.text) as { type: string }).type;
  }
}

async function recordsAfter(url: string, admin: string, seq: number): Promise<AuditRecord[]> {
  const log: AuditRecord[] = [];
  let cursor: string | null = String(seq);
  while (cursor !== null) {
    const path: string = `/orgs/acme/audit?order=asc&limit=500&cursor=${cursor}`;
    const page = await callServer<{ records: AuditRecord[]; next_cursor: string | null }>(
      idle(url),
      admin,
      'GET',
      path,
    );
    log.push(...page.body.records);
    cursor = page.body.next_cursor;
  }
  return log;
}

async function auditKeys(url: string): Promise<Map<string, KeyObject>> {
  const response = await fetch(`${url}/.well-known/jwks.json`);
  const { keys } = (await response.json()) as { keys: (JsonWebKey & { kid: string })[] };
  return new Map(keys.map((key) => [key.kid, createPublicKey({ key, format: 'jwk' })]));
}
