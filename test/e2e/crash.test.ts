import { createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { AuditRecord } from '../../src/audit/model.js';
import { unknownOutcomes } from '../../src/audit/unknown-outcomes.js';
import { verifyChain } from '../../src/audit/verify-chain.js';
import { signBundle } from '../../src/bundle/sign-bundle.js';
import { compileGround } from '../helpers/governed.js';
import { sqliteShop } from '../helpers/shop.js';
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
import { type ServeOptions, type ServeProcess, startServe } from './serve-process.js';

/** More of them: VKIT_CRASH_ROUNDS=50 npx vitest run test/e2e/crash.test.ts */
const ROUNDS = Number(process.env.VKIT_CRASH_ROUNDS ?? 3);
const AGENTS = 10;
const IN_FLIGHT_MIN = 8;
/** Rounds in which too little was in flight do not count; more than these are no accident. */
const EMPTY_ROUNDS_MAX = ROUNDS + 3;
const CALLS_PER_ROUND = 120;
const WORK_MS_MAX = 30_000;
const GRANTS_FETCHED_AGAIN = 30;
const PASSWORD = 'correct horse battery staple';
const ROWS = 2_000;

const POLICIES = [
  'id: allow_orders\nmatch: {dataset: orders}\naction: {allow: true}\n',
  'id: amounts_need_finance\nmatch: {fields: {any: [amount]}}\naction: {require_approval: true, approver_role: finance, reason: Money, ttl: 1h}\n',
];

it(`a server killed with SIGKILL has lost nothing that it acknowledged, ${ROUNDS} times over`, async () => {
  const { options, admin, agents, approver } = await setUp();
  const ledger = newLedger();
  const killedWith: number[] = [];
  let empty = 0;
  let verdict = { records: 0, unknown: 0 };
  while (killedWith.length < ROUNDS) {
    const server = await startServe(options);
    const { told, inFlight } = await crash(server, agents, approver);
    merge(ledger, told);
    if (inFlight >= IN_FLIGHT_MIN) killedWith.push(inFlight);
    else empty += 1;
    expect(empty).toBeLessThan(EMPTY_ROUNDS_MAX);
    const again = await startServe(options);
    try {
      verdict = await expectWhole(again.url, admin, ledger);
    } finally {
      await again.kill();
    }
  }
  const { calls, requests, grants, revoked, fetches, rowsSeen } = ledger;
  process.stdout.write(
    `crash: ${ROUNDS} kills with ${killedWith.join(', ')} calls in flight; acknowledged and found: ${calls.length} changes, ` +
      `${requests.length} requests, ${grants.length} grants, ${revoked.length} revocations, ${fetches.length} answers ` +
      `(${rowsSeen.length} begun); ${verdict.records} audit records verify, ${verdict.unknown} outcomes unknown\n`,
  );
  expect(requests.length).toBeGreaterThan(ROUNDS * 10);
  expect(fetches.length).toBeGreaterThan(ROUNDS * 10);
  expect(revoked.length).toBeGreaterThan(0);
}, 600_000);

interface Prepared {
  options: ServeOptions;
  admin: string;
  agents: string[];
  approver: string;
}

/** A shop, a signed bundle deployed to a first server, and everybody's tokens; that server is killed too. */
async function setUp(): Promise<Prepared> {
  const more = `with recursive n(i) as (select 1000 union all select i + 1 from n where i < ${1000 + ROWS - 4})
    insert into orders select i, 1, i, null from n;`;
  const ground = await sqliteShop({ sql: more });
  const folder = dirname(ground.path);
  const keys = generateKeyPairSync('ed25519');
  const publicKeyFile = join(folder, 'vkit_pub.pem');
  await writeFile(publicKeyFile, keys.publicKey.export({ format: 'pem', type: 'spki' }));
  const bundle = await signBundle(
    await compileGround(ground, POLICIES, 1),
    keys.privateKey,
    keys.publicKey,
  );
  const options: ServeOptions = {
    cwd: folder,
    dataDir: join(folder, 'state'),
    publicKeyFile,
    adminPassword: PASSWORD,
  };
  const server = await startServe(options);
  try {
    const logIn = async (email: string) => {
      const path = '/auth/login';
      const body = { email, password: PASSWORD };
      return (await callServer<{ token: string }>(idle(server.url), 'none', 'POST', path, body))
        .body.token;
    };
    const admin = await logIn('admin@acme.test');
    const post = <T>(path: string, body: object) =>
      callServer<T>(idle(server.url), admin, 'POST', `/orgs/acme${path}`, body);
    await post('/policy_bundles', { bundle });
    const finance = { email: 'finance@acme.test', password: PASSWORD, roles: ['finance'] };
    await post('/users', finance);
    const agents: string[] = [];
    for (let number = 0; number < AGENTS; number += 1) {
      const made = await post<{ token: string }>('/agent_tokens', { name: `agent ${number}` });
      agents.push(made.body.token);
    }
    return { options, admin, agents, approver: await logIn(finance.email) };
  } finally {
    await server.kill();
  }
}

function idle(url: string): Traffic {
  return { url, inFlight: 0, answered: 0, stopped: false };
}

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
  await Promise.race([wait(Math.random() * 300), failed]);
  const { inFlight } = traffic;
  traffic.stopped = true;
  await server.kill();
  const told = newLedger();
  for (const ledger of await Promise.all(clients)) merge(told, ledger);
  return { told, inFlight };
}

/** Holds what the clients were told against what the server has now. */
async function expectWhole(
  url: string,
  admin: string,
  ledger: Ledger,
): Promise<{ records: number; unknown: number }> {
  const log = await wholeLog(url, admin);
  const verdict = await verifyChain(log, { keys: await auditKeys(url) });
  expect(verdict).toMatchObject({ ok: true, count: log.length });

  const events = new Map<string, AuditRecord[]>();
  for (const record of log) {
    const id = record.correlation_id ?? '';
    events.set(id, [...(events.get(id) ?? []), record]);
  }
  const eventOf = (id: string, name: string) => events.get(id)?.find(({ event }) => event === name);
  for (const { correlationId, what } of ledger.calls) {
    expect([what, eventOf(correlationId, what)?.event]).toEqual([what, what]);
  }
  for (const { id, correlationId } of ledger.requests) {
    expect(events.get(correlationId)?.[0]?.request?.request_id).toBe(id);
  }
  const issued = new Set(
    log.filter(({ event }) => event === 'grant.issued').map(({ metadata }) => metadata?.grant_id),
  );
  for (const { ref } of ledger.grants) expect(issued).toContain(ref);
  // No row has left without the record that it will; and who had the whole answer is on record with its number of rows.
  for (const id of ledger.rowsSeen) expect(eventOf(id, 'query.started')).toBeDefined();
  for (const { correlationId, rows } of ledger.fetches) {
    expect(rows).toBe(ROWS);
    expect(eventOf(correlationId, 'query.executed')?.execution?.rows_returned).toBe(rows);
  }
  await expectState(url, ledger);
  return { records: log.length, unknown: unknownOutcomes(log).length };
}

async function expectState(url: string, ledger: Ledger): Promise<void> {
  const traffic = idle(url);
  for (const { id, token } of ledger.requests) {
    const path = `/orgs/acme/requests/${id}`;
    const { body } = await callServer<{ request_id: string }>(traffic, token, 'GET', path);
    expect(body.request_id).toBe(id);
  }
  const revoked = new Set(ledger.revoked.map(({ ref }) => ref));
  for (const { ref, token } of ledger.grants) {
    const path = `/orgs/acme/grants/${ref}`;
    const { body } = await callServer<{ state: string }>(traffic, token, 'GET', path);
    if (revoked.has(ref)) expect(body.state).toBe('revoked');
  }
  // Spread over all clients and rounds.
  const step = Math.ceil(ledger.grants.length / GRANTS_FETCHED_AGAIN);
  let fetched = 0;
  for (const { ref, token } of ledger.grants.filter((_grant, index) => index % step === 0)) {
    const status = await fetchAgain(traffic, token, ref);
    // A revocation may have been done whose answer did not come, but never the other way round.
    if (revoked.has(ref)) expect(status).toBe('grant_revoked');
    else expect(['fetched', 'grant_revoked']).toContain(status);
    if (status === 'fetched') fetched += 1;
  }
  expect(fetched).toBeGreaterThan(0);
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

async function wholeLog(url: string, admin: string): Promise<AuditRecord[]> {
  const log: AuditRecord[] = [];
  let cursor: string | null = '0';
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
