import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { AuditRecord } from '../../src/audit/model.js';
import type { SinksAnswer } from '../../src/client/wire.js';
import { isWebhookSignature, readWebhookSecret } from '../../src/util/sign-webhook.js';
import { finished, runCli, startCli } from '../helpers/run-cli.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';
import { startServe } from './serve-process.js';

const PASSWORD = 'correct horse battery staple';
const ROUNDS = 2;
const UPDATES_PER_ROUND = 60;

interface Received {
  records: AuditRecord[];
  signed: { id: string; timestampSeconds: number; body: string; signature: string }[];
}

it('a server killed with SIGKILL sends every record to its sinks, in order, and to a file once', async () => {
  const folder = await temporaryFolder();
  const { received, url } = await receiver();
  const keyFile = join(folder, 'bundle.pem');
  const { publicKey } = generateKeyPairSync('ed25519');
  await writeFile(keyFile, publicKey.export({ format: 'pem', type: 'spki' }));
  // Nobody reads what the server prints: a sink that stands still, beside those that must not.
  await writeFile(
    join(folder, 'vkit.server.yaml'),
    `audit:
  checkpoint_records: 20
  checkpoint_seconds: 1
  sinks:
    - {type: stdout, name: printed}
    - {type: webhook, name: siem, url: "${url}"}
    - {type: file, name: local, path: audit.jsonl}
`,
  );
  const dataDir = join(folder, 'state');
  const options = { cwd: folder, dataDir, publicKeyFile: keyFile, adminPassword: PASSWORD };
  let token = '';
  let acknowledged = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const server = await startServe(options);
    if (token === '') token = await logIn(server.url);
    const work = update(server.url, token, () => {
      acknowledged += 1;
    });
    while (acknowledged < (round + 1) * UPDATES_PER_ROUND) await sleep(10);
    await server.kill();
    await work;
  }
  const last = await startServe(options);
  try {
    await caughtUp(last.url, token);
    const file = join(folder, 'audit.jsonl');
    const jwks = join(folder, 'jwks.json');
    await writeFile(jwks, await (await fetch(`${last.url}/.well-known/jwks.json`)).text());
    const verdict = await runCli(['audit', 'verify', file, '--key', jwks, '--json']);
    expect([verdict.code, verdict.stdout]).toEqual([0, expect.stringContaining('"verified"')]);
    const { count } = JSON.parse(verdict.stdout) as { count: number };
    expect(count).toBeGreaterThanOrEqual(acknowledged);
    expect(acknowledged).toBeGreaterThanOrEqual(ROUNDS * UPDATES_PER_ROUND);
    const seqs = received.records.map(({ seq }) => seq);
    const once = [...new Set(seqs)];
    expect(once).toEqual(once.map((_, index) => index + 1));
    expect(once.length).toBeGreaterThanOrEqual(acknowledged);
    const secret = await readFile(join(dataDir, 'keys', 'sink_siem.secret'), 'utf8');
    const key = readWebhookSecret(secret.trim(), 'it');
    for (const { signature, ...message } of received.signed) {
      expect(isWebhookSignature(key, message, signature)).toBe(true);
    }
  } finally {
    await last.kill();
  }
}, 120_000);

it('a server does not start with a sink that cannot be, and says why', async () => {
  const folder = await temporaryFolder();
  await writeFile(
    join(folder, 'vkit.server.yaml'),
    'audit:\n  sinks: [{type: postgres, name: primary}]\n',
  );
  const child = startCli(['serve', '--port', '0', '--data-dir', 'state'], { cwd: folder });
  const { code, stderr } = await finished(child);
  expect([code, stderr]).toEqual([2, expect.stringContaining('not in PostgreSQL')]);
}, 60_000);

/** Refuses one delivery of five: the batch comes again. */
async function receiver(): Promise<{ received: Received; url: string }> {
  const received: Received = { records: [], signed: [] };
  let calls = 0;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      calls += 1;
      const body = Buffer.concat(parts).toString('utf8');
      const header = (name: string) => String(request.headers[`webhook-${name}`]);
      const timestampSeconds = Number(header('timestamp'));
      const message = { id: header('id'), timestampSeconds, body };
      received.signed.push({ ...message, signature: header('signature') });
      if (calls % 5 === 3) {
        response.writeHead(503).end();
        return;
      }
      received.records.push(...(JSON.parse(body) as Received).records);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { received, url: `http://127.0.0.1:${port}/events` };
}

async function logIn(url: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'admin@acme.test', password: PASSWORD }),
  });
  return ((await response.json()) as { token: string }).token;
}

/** Changes that are recorded, until the server is gone. */
async function update(url: string, token: string, onDone: () => void): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const { users } = (await (await fetch(`${url}/api/v1/orgs/acme/users`, { headers })).json()) as {
    users: { id: string }[];
  };
  const path = `${url}/api/v1/orgs/acme/users/${users[0]?.id}`;
  const client = async () => {
    for (;;) {
      const body = JSON.stringify({ region: 'EU' });
      try {
        const response = await fetch(path, { method: 'PATCH', headers, body });
        await response.text();
        expect(response.status).toBe(200);
      } catch (error) {
        if ((error as Error).name === 'AssertionError') throw error;
        return; // The server is gone.
      }
      onDone();
    }
  };
  await Promise.all(Array.from({ length: 4 }, client));
}

async function caughtUp(url: string, token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  for (let tries = 0; tries < 300; tries += 1) {
    const response = await fetch(`${url}/api/v1/orgs/acme/audit/sinks`, { headers });
    const { sinks } = (await response.json()) as SinksAnswer;
    if (sinks.every(({ id, records }) => id === 'printed' || records === 0)) return;
    await sleep(100);
  }
  throw new Error('The sinks do not catch up.');
}
