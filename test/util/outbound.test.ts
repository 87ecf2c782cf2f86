import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { VkitError } from '../../src/errors/index.js';
import { parseAddressList } from '../../src/util/address-list.js';
import { checkOutboundUrl, dial, outboundRules, type Resolve } from '../../src/util/outbound.js';
import { createOutboundFetch, type OutboundOptions } from '../../src/util/outbound-fetch.js';
import { isPrivateAddress } from '../../src/util/private-address.js';
import { makeCertificate } from '../helpers/certificate.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

const rulesWith = (...entries: string[]) =>
  outboundRules(parseAddressList(entries, 'private_addresses'));
const NONE = rulesWith();

describe('private addresses', () => {
  it.each([
    ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.255.0.9'],
    ...['169.254.169.254', '172.16.0.1', '172.31.255.255', '192.168.1.1', '192.0.0.8'],
    ...['198.19.0.1', '224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255'],
    ...['::', '::1', '::ffff:10.0.0.1', '::ffff:a9fe:a9fe', '::ffff:0:10.0.0.1', '::10.0.0.1'],
    ...['64:ff9b::8.8.8.8', '64:ff9b:1::1', 'fc00::1', 'fd12::1', 'fe80::1', 'fe80::1%eth0'],
    ...['ff02::1', '2002:a00:1::', '2001:0:1::', '2001:db8::1', 'fec0::1', 'nonsense', ''],
  ])('has %s among them', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  it.each([
    ...['8.8.8.8', '1.1.1.1', '100.63.255.255', '100.128.0.0', '172.15.255.255', '172.32.0.0'],
    ...['::ffff:8.8.8.8', '2606:4700::1111', '2a00:1450::1'],
  ])('does not have %s among them', (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  });
});

describe('the consent to private addresses', () => {
  it('opens a network for every host, IPv4 written as IPv6 too, and nothing beside it', () => {
    const rules = rulesWith('10.0.0.0/8', 'fd00::/8');
    expect(rules.refusal('a.example', '10.9.9.9')).toBeNull();
    expect(rules.refusal('a.example', '::ffff:10.9.9.9')).toBeNull();
    expect(rules.refusal('a.example', 'fd00::7')).toBeNull();
    expect(rules.refusal('a.example', '192.168.0.1')).toBeInstanceOf(VkitError);
    expect(rules.refusal('a.example', 'fc00::7')).toBeInstanceOf(VkitError);
  });

  it('opens a host name at its private addresses, and at no metadata of a cloud', () => {
    const rules = rulesWith('SIEM.internal.');
    expect(rules.refusal('siem.internal', '10.0.0.1')).toBeNull();
    expect(rules.refusal('siem.internal.', 'fd00::1')).toBeNull();
    expect(rules.refusal('other.internal', '10.0.0.1')).toBeInstanceOf(VkitError);
    for (const address of [
      ...['169.254.169.254', '::ffff:169.254.169.254', '64:ff9b::a9fe:a9fe', 'fe80::1'],
      ...['0.0.0.0', '::', '224.0.0.1', 'fd00:ec2::254'],
    ]) {
      expect(rules.refusal('siem.internal', address), address).toBeInstanceOf(VkitError);
    }
  });

  it('is needed for this machine too where the host does not say so itself', () => {
    expect(NONE.refusal('localhost', '127.0.0.1')).toBeNull();
    expect(NONE.refusal('127.0.0.1', '127.0.0.1')).toBeNull();
    expect(NONE.refusal('evil.example', '127.0.0.1')).toBeInstanceOf(VkitError);
    expect(NONE.refusal('localhost', '8.8.8.8')).toBeInstanceOf(VkitError);
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0',
    '10.0.0.0/',
    'fd00::/129',
    'a b',
    '',
    '*',
    'http://x',
    '1.2.3.4/8/9',
  ])('refuses the entry %j and names the key', (entry) => {
    expect(() => parseAddressList([entry], 'private_addresses')).toThrow(/^private_addresses has/);
  });
});

describe('an address of the configuration', () => {
  it.each([
    ['http://siem.example/x', /not https/],
    ['ftp://siem.example/x', /not https/],
    ['siem.example', /cannot be read/],
    ['https://user:hunter2@siem.example/', /holds a login/],
    ['https://siem.example/#part', /fragment/],
    ['https://10.0.0.1/', /not a public/],
    ['https://[::ffff:169.254.169.254]/', /not a public/],
    ['https://2852039166/latest', /not a public/],
    ['https://0xa9.0xfe.0xa9.0xfe/', /not a public/],
    ['http://0.0.0.0/', /not https/],
  ])('is refused: %s', (text, why) => {
    let error: unknown;
    try {
      checkOutboundUrl(text, 'audit.sinks[0].url', NONE);
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ code: 'config_invalid', message: expect.stringMatching(why) });
    expect(String(error)).toContain('audit.sinks[0].url');
    expect(JSON.stringify([String(error), error])).not.toContain('hunter2');
  });

  it.each([
    'https://siem.example/x?token=1',
    'http://127.0.0.1:9/x',
    'http://localhost:9/',
    'http://[::1]:9/',
    'https://10.0.0.1/',
  ])('passes: %s', (text) => {
    expect(checkOutboundUrl(text, 'url', rulesWith('10.0.0.0/8')).href).toContain('//');
  });
});

/** What every name has, one after the other; the last one stays. */
function resolveTo(...answers: string[][]): Resolve & { asked: number } {
  const resolve = async () => {
    const found = answers[Math.min(resolve.asked++, answers.length - 1)] ?? [];
    return found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  resolve.asked = 0;
  return resolve;
}

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen: string[] = [];
  const port = await listen(
    createHttpServer((request, response) => {
      seen.push(request.url ?? '');
      answer(request, response);
    }),
  );
  return { url: new URL(`http://127.0.0.1:${port}/`), seen, port };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    if ('closeAllConnections' in server)
      (server as { closeAllConnections(): void }).closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function outbound(options: Partial<OutboundOptions> = {}) {
  const made = createOutboundFetch({ rules: NONE, ...options });
  onTestFinished(() => made.close());
  return made.fetch;
}

describe('a call of the server', () => {
  it('does not follow a redirect', async () => {
    const { url, seen } = await serve((_request, response) =>
      response.writeHead(302, { location: '/elsewhere' }).end(),
    );
    expect(await outbound()(url)).toMatchObject({ status: 302 });
    expect(seen).toEqual(['/']);
  });

  it('reads an answer up to its bound and says that there was more', async () => {
    const { url } = await serve((_request, response) => response.end('x'.repeat(1_000_000)));
    const answer = await outbound()(url, { bodyBytesMax: 1000 });
    expect(answer).toMatchObject({ isCut: true, body: 'x'.repeat(1000) });
  });

  it.each([
    ['a head', () => undefined],
    ['the rest of a body', (response: ServerResponse) => response.write('a')],
  ])('waits for %s no longer than its bound', async (_what, answer) => {
    const { url } = await serve((_request, response) => void answer(response));
    await expect(outbound()(url, { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'unavailable',
      message: '127.0.0.1 did not answer within 100 ms.',
    });
  });

  it('connects to nothing where one of the addresses of a name is private', async () => {
    const { port, seen } = await serve((_request, response) => response.end());
    const fetch = outbound({ resolve: resolveTo(['8.8.8.8', '127.0.0.1']) });
    await expect(fetch(new URL(`https://evil.example:${port}/`))).rejects.toMatchObject({
      code: 'address_refused',
      message: expect.stringContaining('evil.example'),
      hint: expect.stringContaining('private_addresses'),
    });
    expect(seen).toEqual([]);
  });

  it('checks each connection anew, so that a name cannot turn private once it was checked', async () => {
    const { certificate, key } = makeCertificate(await temporaryFolder(), 'DNS:siem.example');
    const port = await listen(
      createHttpsServer({ key, cert: certificate }, (_request, response) => {
        response.setHeader('connection', 'close').end('ok');
      }),
    );
    const resolve = resolveTo(['127.0.0.2'], ['127.0.0.2'], ['127.0.0.3']);
    const fetch = outbound({ rules: rulesWith('127.0.0.2'), resolve, ca: String(certificate) });
    const url = new URL(`https://siem.example:${port}/`);
    // 127.0.0.2 is consented to and nobody listens there: what was refused was not dialled, what was allowed was.
    await expect(fetch(url)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(fetch(url)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(fetch(url)).rejects.toMatchObject({ code: 'address_refused' });
    const consented = outbound({
      rules: rulesWith('siem.example'),
      resolve: resolveTo(['127.0.0.1']),
      ca: String(certificate),
    });
    expect(await consented(url)).toMatchObject({ status: 200, body: 'ok' });
  });

  it('trusts no certificate that nobody signed', async () => {
    const { certificate, key } = makeCertificate(await temporaryFolder(), 'IP:127.0.0.1');
    const port = await listen(
      createHttpsServer({ key, cert: certificate }, (_request, response) => response.end('ok')),
    );
    await expect(outbound()(new URL(`https://127.0.0.1:${port}/`))).rejects.toMatchObject({
      message: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT'),
    });
  });

  it('says nothing of an address but its host', async () => {
    const fetch = outbound({ resolve: resolveTo([]) });
    const error = await fetch(new URL('https://hooks.example/services/hunter2')).catch(String);
    expect(error).toBe('VkitError: hooks.example cannot be reached (ENOTFOUND).');
  });

  it('goes through a proxy by name, and to a written address only by the rules', async () => {
    const asked: string[] = [];
    const proxy = createHttpServer();
    proxy.on('connect', (request, socket) => {
      asked.push(request.url ?? '');
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    const https = `http://127.0.0.1:${await listen(proxy)}`;
    const resolve = resolveTo(['10.0.0.1']);
    const fetch = outbound({ proxy: { https, except: 'near.example' }, resolve });
    await expect(fetch(new URL('https://far.example/'))).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(asked).toEqual(['far.example:443']);
    await expect(fetch(new URL('https://10.0.0.1/'))).rejects.toMatchObject({
      code: 'address_refused',
    });
    await expect(fetch(new URL('https://near.example/'))).rejects.toMatchObject({
      code: 'address_refused',
    });
    expect(asked).toHaveLength(1);
  });
});

describe('a connection of the server', () => {
  const ending = (host: string, port: number, resolve?: Resolve, ...consented: string[]) =>
    new Promise<string>((done) => {
      const socket = dial({ host, port }, rulesWith(...consented), resolve);
      socket.once('connect', () => done('connected'));
      socket.once('error', (error) => done((error as { code?: string }).code ?? ''));
      onTestFinished(() => void socket.destroy());
    });

  it('is made to addresses that the rules allow, and to no other', async () => {
    const port = await listen(createServer((socket) => socket.end()));
    const here = resolveTo(['127.0.0.1']);
    expect(await ending('127.0.0.1', port)).toBe('connected');
    expect(await ending('smtp.example', port, here)).toBe('address_refused');
    expect(await ending('smtp.example', port, here, 'smtp.example')).toBe('connected');
    expect(await ending('169.254.169.254', port)).toBe('address_refused');
    expect(await ending('::ffff:10.0.0.1', port)).toBe('address_refused');
    // Not an address to Node, but to the system's resolver.
    expect(await ending('0x7f.1', port, here)).toBe('address_refused');
  });
});
