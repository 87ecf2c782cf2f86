import { copyFile, cp, stat, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { dirname, join } from 'node:path';
import { connect } from 'node:tls';
import { beforeAll, expect, it, type TestContext } from 'vitest';
import { hasOpenssl, makeCertificate } from '../helpers/certificate.js';
import { jsonOf, runCli } from '../helpers/run-cli.js';
import { shared } from '../helpers/shared.js';
import { type AtTheEnd, temporaryFolder } from '../helpers/temporary-folder.js';
import { callServer } from './crash-client.js';
import { type ServeProcess, startServe } from './serve-process.js';
import { idle, type SetUp, setUpServer } from './set-up-server.js';

/** So many rows that they fit in no buffer on the way. */
const ROWS = 300_000;
const POLICIES = ['id: allow_orders\nmatch: {dataset: orders}\naction: {allow: true, ttl: 8h}\n'];

interface World {
  setUp: SetUp;
  token: string;
  certificates: { folder: string; old: Buffer; next: Buffer } | null;
}

/** One data directory, whose server every test starts in another way. */
const world = shared<World>(async (atTheEnd) => {
  const setUp = await setUpServer({ policies: POLICIES, agents: 1, rows: ROWS, atTheEnd });
  const [token = ''] = setUp.agents;
  return { setUp, token, certificates: hasOpenssl() ? await certificates(atTheEnd) : null };
});

async function certificates(atTheEnd: AtTheEnd) {
  const [folder, other] = [await temporaryFolder(atTheEnd), await temporaryFolder(atTheEnd)];
  const old = makeCertificate(folder, 'IP:127.0.0.1').certificate;
  const next = makeCertificate(other, 'IP:127.0.0.1').certificate;
  await copyFile(join(other, 'key.pem'), join(folder, 'next-key.pem'));
  await copyFile(join(other, 'certificate.pem'), join(folder, 'next-certificate.pem'));
  return { folder, old, next };
}

async function withServe<T>(
  more: Partial<SetUp['options']>,
  use: (server: ServeProcess) => Promise<T>,
): Promise<T> {
  const server = await startServe({ ...world().setUp.options, ...more });
  try {
    return await use(server);
  } finally {
    await server.kill();
  }
}

/** A stream that nobody reads from yet. */
async function beginStream({ url }: ServeProcess): Promise<Response> {
  const { token } = world();
  const aql = { source_table: 'orders', columns: ['id', 'amount'], limit: ROWS };
  const path = '/orgs/acme/requests';
  const { body } = await callServer<{ grant_ref: string }>(idle(url), token, 'POST', path, { aql });
  return fetch(`${url}/api/v1/orgs/acme/grants/${body.grant_ref}/fetch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, accept: 'application/x-ndjson' },
  });
}

async function untilDraining(url: string): Promise<void> {
  for (let asked = 0; asked < 500; asked += 1) {
    if ((await fetch(`${url}/health`)).status === 503) return;
  }
  throw new Error('The server does not drain.');
}

let config = '';
beforeAll(async () => {
  config = join(dirname(world().setUp.options.dataDir), 'server.yaml');
  await writeFile(config, `row_cap: ${ROWS}\n`);
});

it('a server that is told to stop says so, takes nothing new, lets a running stream end, and exits 0', async () => {
  await withServe({ args: ['--config', config], logLevel: 'info' }, async (server) => {
    const { url } = server;
    const stream = await beginStream(server);
    server.child.kill('SIGTERM');
    await untilDraining(url);
    const health = await fetch(`${url}/health`);
    expect(await health.json()).toMatchObject({ status: 'draining' });
    expect((await fetch(`${url}/up`)).status).toBe(200);
    const refused = await fetch(`${url}/api/v1/whoami`);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ type: 'unavailable' });
    expect(server.child.exitCode).toBeNull();
    const text = await stream.text();
    expect(text.split('\n')).toHaveLength(ROWS + 1);
    expect(await server.exited).toEqual({ code: 0, signal: null });
    await expect(fetch(`${url}/up`)).rejects.toThrow();
    const said = (text: string) => server.errors().indexOf(`"msg":"${text}"`);
    expect(said('draining')).toBeGreaterThan(-1);
    expect(said('stopped')).toBeGreaterThan(said('draining'));
  });
});

it.each([['SIGTERM'], ['SIGINT']] as const)(
  'a second signal, %s, ends a server at once that waits for a stream',
  async (second) => {
    await withServe({ args: ['--config', config] }, async (server) => {
      const stream = await beginStream(server);
      server.child.kill('SIGTERM');
      await untilDraining(server.url);
      server.child.kill(second);
      const { code, signal } = await server.exited;
      expect([code, signal]).toEqual(second === 'SIGTERM' ? [null, 'SIGTERM'] : [130, null]);
      await stream.body?.cancel().catch(() => undefined);
    });
  },
);

function secure(url: string, ca: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { ca, agent: false }, (response: IncomingMessage) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** The version that is agreed on, or why there is none. */
function agreedOn(url: string, version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): Promise<string> {
  const { port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(
      {
        port: Number(port),
        host: '127.0.0.1',
        rejectUnauthorized: false,
        minVersion: version,
        maxVersion: version,
        // Below level 0 OpenSSL itself would not speak the old one.
        ciphers: 'DEFAULT:@SECLEVEL=0',
      },
      () => {
        resolve(socket.getProtocol() ?? '');
        socket.destroy();
      },
    );
    socket.on('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? 'refused'));
  });
}

function needsOpenssl(context: TestContext) {
  const { certificates: made } = world();
  if (made === null) return context.skip('openssl is not there');
  return made;
}

it('over TLS it speaks 1.2 and newer, takes a new certificate at SIGHUP, and keeps the old one where that is none', async (context) => {
  const { folder, old, next } = needsOpenssl(context);
  const file = join(folder, 'vkit.server.yaml');
  // Relative paths start at the file.
  await writeFile(file, 'tls: {cert_file: certificate.pem, key_file: key.pem}\n');
  await withServe({ args: ['--config', file], logLevel: 'info' }, async (server) => {
    const { url } = server;
    expect(url).toMatch(/^https:/);
    expect(await secure(`${url}/up`, old)).toBe(200);
    expect(await agreedOn(url, 'TLSv1.1')).toMatch(/^ERR_SSL|ECONNRESET/);
    expect(await agreedOn(url, 'TLSv1.2')).toBe('TLSv1.2');
    expect(await agreedOn(url, 'TLSv1.3')).toBe('TLSv1.3');
    const hangUp = async (words: string) => {
      server.child.kill('SIGHUP');
      await expect.poll(() => server.errors(), { timeout: 10_000 }).toContain(words);
    };
    await copyFile(join(folder, 'next-key.pem'), join(folder, 'key.pem'));
    await hangUp('stays as it was');
    expect(await secure(`${url}/up`, old)).toBe(200);
    await copyFile(join(folder, 'next-certificate.pem'), join(folder, 'certificate.pem'));
    await hangUp('read again');
    expect(await secure(`${url}/up`, next)).toBe(200);
    await expect(secure(`${url}/up`, old)).rejects.toThrow();
    expect(server.errors()).not.toContain('PRIVATE KEY');
    server.child.kill('SIGTERM');
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });
});

it('a client without a certificate of the named authority gets no answer', async (context) => {
  const { folder, next } = needsOpenssl(context);
  const file = join(folder, 'vkit.server.yaml');
  const tls =
    '{cert_file: next-certificate.pem, key_file: next-key.pem, client_ca: next-certificate.pem}';
  await writeFile(file, `tls: ${tls}\n`);
  await withServe({ args: ['--config', file] }, async ({ url }) => {
    await expect(secure(`${url}/up`, next)).rejects.toThrow();
  });
});

it('a backup of a running server, made while it works, serves as the server did and verifies', async () => {
  const { setUp, token } = world();
  const backups = await temporaryFolder();
  const file = join(backups, 'vkit.server.yaml');
  await writeFile(file, 'backup_dir: made\n');
  const aql = { source_table: 'orders', columns: ['id'], limit: 1 };
  const ask = async (url: string) =>
    (
      await callServer<{ request_id: string; grant_ref: string }>(
        idle(url),
        token,
        'POST',
        '/orgs/acme/requests',
        { aql },
      )
    ).body;
  const before: string[] = [];
  const folder = await withServe({ args: ['--config', file], logLevel: 'info' }, async (server) => {
    before.push((await ask(server.url)).grant_ref);
    server.child.kill('SIGUSR2');
    // What comes meanwhile is in it or not, but whole.
    while (!server.errors().includes('a backup was written')) await ask(server.url);
    return /"folder":"([^"]+)"/.exec(server.errors())?.[1] ?? '';
  });
  expect(folder.startsWith(join(backups, 'made', 'vkit-'))).toBe(true);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, 'vkit.db'))).mode & 0o777).toBe(0o600);
  const restored = join(backups, 'restored');
  await cp(folder, restored, { recursive: true });
  await withServe({ dataDir: restored }, async ({ url }) => {
    const [ref = ''] = before;
    const path = `/orgs/acme/grants/${ref}/fetch`;
    const { body } = await callServer<{ rows: object[] }>(idle(url), token, 'POST', path, {});
    expect(body.rows).toHaveLength(1);
    await ask(url);
    const env = { VKIT_TOKEN: setUp.admin };
    const verified = await runCli(['audit', 'verify', '--json', '--endpoint', url], { env });
    expect([verified.code, jsonOf(verified)]).toEqual([0, expect.objectContaining({ ok: true })]);
    const found = await callServer<{ records: object[] }>(
      idle(url),
      setUp.admin,
      'GET',
      '/orgs/acme/audit?action=server.backed_up',
    );
    expect(found.body.records).toHaveLength(1);
  });
});

it('warns that everybody on the way can read along where it listens beyond the machine without TLS', async () => {
  await withServe({ args: ['--host', '0.0.0.0'] }, async (server) => {
    await expect
      .poll(() => server.errors())
      .toContain('Warning: 0.0.0.0 is not this machine alone');
  });
  await withServe({}, async (server) => {
    expect((await fetch(`${server.url}/up`)).status).toBe(200);
    expect(server.errors()).toBe('');
  });
});
