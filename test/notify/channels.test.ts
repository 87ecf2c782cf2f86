import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ChannelConfig, openChannel } from '../../src/notify/index.js';
import type { Notice } from '../../src/notify/notice.js';
import { readSecretSource } from '../../src/services/read-secret-source.js';
import { parseAddressList } from '../../src/util/address-list.js';
import { outboundRules } from '../../src/util/outbound.js';
import { createOutboundFetch } from '../../src/util/outbound-fetch.js';
import { isWebhookSignature } from '../../src/util/sign-webhook.js';
import { makeCertificate } from '../helpers/certificate.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';
import { httpPeer, smtpPeer } from './peers.js';

const SECRETS: Record<string, string> = {
  HOOK_SECRET: 'a-secret-of-more-than-24-bytes',
  BOT_TOKEN: '123456:ABC-DEF_ghi',
  MAIL_PASSWORD: 's3cret mail',
};
const NOW = Date.parse('2026-03-02T10:00:00Z');

const NOTICE: Notice = {
  event: 'approval.requested',
  at: '2026-03-02T09:59:59.000Z',
  org: 'acme',
  request_id: 'req_1',
  requester: 'ana@acme.test',
  requester_kind: 'user',
  dataset: 'customers',
  datasource: 'shop',
  approver_roles: ['data_owner'],
  expires_at: '2026-03-03T09:59:59.000Z',
};

/** A name that is a mention, markup, a header and a command in one channel or another. */
const HOSTILE: Notice = {
  ...NOTICE,
  requester_kind: 'agent',
  requester: '<!channel> @everyone <b>x</b> &amp; *bold* `code`\r\nBcc: evil@evil.example\u202e',
  dataset: '<https://evil.example|click> </code><a href="https://evil.example">x</a>',
};

function open(config: object) {
  const rules = outboundRules(parseAddressList([], 'private_addresses'));
  const outbound = createOutboundFetch({ rules });
  onTestFinished(() => outbound.close());
  return openChannel({ name: 'ops', ...config } as ChannelConfig, {
    fetch: outbound.fetch,
    rules,
    now: () => NOW,
    secret: (source, key) => readSecretSource(source, key, (name) => SECRETS[name]),
  });
}

const send = (config: object, notice = NOTICE, signal = new AbortController().signal) =>
  open(config).send({ id: 'ntf_1', notice }, signal);

describe('a webhook', () => {
  it('gets the notice as JSON, signed over id, time and body', async () => {
    const peer = await httpPeer((response) => response.writeHead(204).end());
    const config = { type: 'webhook', url: `${peer.url}/hook`, secret: { env: 'HOOK_SECRET' } };
    await send(config);
    const [{ path, headers, body } = { path: '', headers: {}, body: '' }] = peer.received;
    expect(path).toBe('/hook');
    expect(JSON.parse(body)).toEqual({
      type: 'approval.requested',
      timestamp: NOTICE.at,
      id: 'ntf_1',
      data: {
        ...{ org: 'acme', request_id: 'req_1', requester: 'ana@acme.test', requester_kind: 'user' },
        ...{ dataset: 'customers', datasource: 'shop', approver_roles: ['data_owner'] },
        ...{ expires_at: NOTICE.expires_at, command: 'vkit approval approve req_1' },
      },
    });
    const signed = { id: 'ntf_1', timestampSeconds: NOW / 1000, body };
    const key = Buffer.from(SECRETS.HOOK_SECRET ?? '');
    expect(headers).toMatchObject({ 'webhook-id': 'ntf_1', 'webhook-timestamp': `${NOW / 1000}` });
    expect(isWebhookSignature(key, signed, String(headers['webhook-signature']))).toBe(true);
  });

  it.each([301, 307, 400, 500])('that answers %i has not taken it', async (status) => {
    const peer = await httpPeer((response) =>
      response.writeHead(status, { location: '/other' }).end(),
    );
    const sending = send({ type: 'webhook', url: peer.url, secret: { env: 'HOOK_SECRET' } });
    await expect(sending).rejects.toMatchObject({ code: 'unavailable' });
    expect(peer.received).toHaveLength(1);
  });

  it('is refused in the configuration with an address in clear or of a private network', () => {
    const secret = { env: 'HOOK_SECRET' };
    for (const url of ['http://hooks.example/', 'https://10.0.0.1/', 'https://169.254.169.254/']) {
      expect(() => open({ type: 'webhook', url, secret })).toThrow(
        /notifications\.channels \(ops\)/,
      );
    }
  });

  it('without its secret is refused, and the key and the variable are named', async () => {
    const config = { type: 'webhook', url: 'http://127.0.0.1:1/', secret: { env: 'NOT_SET' } };
    await expect(open(config).check()).rejects.toMatchObject({
      code: 'config_invalid',
      message:
        'notifications.channels (ops).secret is to be in the variable NOT_SET, which is not set.',
    });
  });
});

describe('Slack', () => {
  const config = async (url: string) => {
    const file = join(await temporaryFolder(), 'url');
    await writeFile(file, `${url}/services/T0/B0/hunter2\n`);
    return { type: 'slack', url: { file } };
  };

  it('gets names as plain text, where they are no mention, link or markup', async () => {
    const peer = await httpPeer((response) => response.end('ok'));
    await send(await config(peer.url), HOSTILE);
    const [{ path, body } = { path: '', body: '{}' }] = peer.received;
    expect(path).toBe('/services/T0/B0/hunter2');
    const message = JSON.parse(body);
    expect(message.text).toBe('Approval requested: req_1');
    const [header, facts, commands, context] = message.blocks;
    expect(header).toMatchObject({ type: 'header', text: { type: 'plain_text' } });
    for (const { type } of [...facts.fields, ...context.elements]) expect(type).toBe('plain_text');
    expect(facts.fields.length).toBeLessThanOrEqual(10);
    expect(JSON.stringify(facts)).not.toMatch(/\\r|\\n|\u202e/);
    expect(commands.text).toMatchObject({
      type: 'mrkdwn',
      text: "`vkit approval approve req_1`\n`vkit approval deny req_1 --reason '…'`",
    });
    expect(context.elements[0].text).toBe('ntf_1');
  });

  it('that refuses is quoted with its own word, and its address is never shown', async () => {
    const peer = await httpPeer((response) => response.writeHead(403).end('invalid_token'));
    const error = await send(await config(peer.url)).catch((caught: Error) => caught);
    expect(String(error)).toBe('VkitError: Slack answered 403: invalid_token.');
    const down = await send(await config('http://127.0.0.1:1')).catch((caught: Error) => caught);
    expect(`${down} ${JSON.stringify(down)}`).not.toContain('hunter2');
  });
});

describe('Telegram', () => {
  const config = (api_url: string) => ({
    ...{ type: 'telegram', token: { env: 'BOT_TOKEN' }, chat_id: '-1001', api_url },
  });

  it('gets HTML in which names are code, not markup or mentions', async () => {
    const peer = await httpPeer((response) => response.end('{"ok":true,"result":{}}'));
    await send(config(peer.url), HOSTILE);
    const [{ path, body } = { path: '', body: '{}' }] = peer.received;
    expect(path).toBe('/bot123456:ABC-DEF_ghi/sendMessage');
    const message = JSON.parse(body);
    expect(message).toMatchObject({
      chat_id: '-1001',
      parse_mode: 'HTML',
      link_preview_options: { is_disabled: true },
    });
    expect(message.text.length).toBeLessThan(4096);
    const tags = [...message.text.matchAll(/<\/?([a-z]+)[^>]*>/gi)].map(([, name]) => name);
    expect(new Set(tags)).toEqual(new Set(['b', 'code', 'pre']));
    // Outside of code there is nothing that was named by somebody.
    const outside = message.text.replace(/<(code|pre)>.*?<\/\1>/g, '');
    expect(outside).not.toMatch(/@|evil|channel/);
    expect(message.text).toContain('<pre>vkit approval approve req_1</pre>');
  });

  it('that asks for a pause is left alone for so long, and its token is never shown', async () => {
    const peer = await httpPeer((response) =>
      response
        .writeHead(429)
        .end(
          '{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}',
        ),
    );
    await expect(send(config(peer.url))).rejects.toMatchObject({
      message: 'Telegram answered 429: Too Many Requests: retry after 7.',
      details: { retry_after_seconds: 7 },
    });
    const down = await send(config('http://127.0.0.1:1')).catch((caught: Error) => caught);
    expect(`${down} ${JSON.stringify(down)}`).not.toContain('ABC-DEF');
    await expect(
      open({ ...config(peer.url), token: { env: 'MAIL_PASSWORD' } }).check(),
    ).rejects.toThrow(/not the token of a bot/);
  });
});

describe('mail', () => {
  const mail = { type: 'email', from: 'vkit@acme.test', to: ['ops@acme.test', 'b@acme.test'] };

  it('goes to this machine in clear, with headers of the server alone', async () => {
    const peer = await smtpPeer({ authOptional: true, disabledCommands: ['STARTTLS', 'AUTH'] });
    await send({ ...mail, host: '127.0.0.1', port: peer.port, security: 'none' }, HOSTILE);
    const [got] = peer.received;
    expect(got).toMatchObject({ from: 'vkit@acme.test', to: mail.to });
    const [head = '', ...body] = (got?.text ?? '').split('\r\n\r\n');
    expect(head).toMatch(/^Subject: \[vkit\] Approval requested: req_1$/m);
    expect(head).toMatch(/^Message-ID: <ntf_1@vkit\.invalid>$/im);
    expect(head).toMatch(/^X-Vkit-Notification: ntf_1$/im);
    expect(head).not.toMatch(/evil|bcc/i);
    expect(body.join('\r\n\r\n').replace(/=\r\n/g, '')).toContain('vkit approval approve req_1');
  });

  it('goes elsewhere only over TLS that is verified, and the login with it', async () => {
    const folder = await temporaryFolder();
    const { key, certificate, certificatePath } = makeCertificate(folder, 'DNS:localhost');
    const options = {
      ...{ key, cert: certificate, authMethods: ['PLAIN'] },
      onAuth: (
        auth: { username?: string; password?: string },
        _session: unknown,
        done: (error: Error | null, response: { user: string }) => void,
      ) =>
        done(auth.password === SECRETS.MAIL_PASSWORD ? null : new Error('no'), {
          user: auth.username ?? '',
        }),
    };
    const login = { username: 'vkit', password: { env: 'MAIL_PASSWORD' } };
    const starttls = await smtpPeer(options as never);
    const config = { ...mail, ...login, host: 'localhost', port: starttls.port };
    await expect(send(config)).rejects.toMatchObject({ code: 'unavailable' });
    await send({ ...config, ca_file: certificatePath });
    expect(starttls.received).toMatchObject([{ secure: true, user: 'vkit' }]);
    const tls = await smtpPeer({ ...options, secure: true } as never);
    await send({ ...config, port: tls.port, security: 'tls', ca_file: certificatePath });
    expect(tls.received).toMatchObject([{ secure: true, user: 'vkit' }]);
    const clear = await smtpPeer({ authOptional: true, disabledCommands: ['STARTTLS'] });
    const error = await send({ ...config, port: clear.port }).catch((caught: Error) => caught);
    expect(error).toMatchObject({ code: 'unavailable' });
    expect(`${error} ${JSON.stringify(error)}`).not.toContain(SECRETS.MAIL_PASSWORD);
    expect(clear.received).toEqual([]);
  });

  it('is refused in clear to another machine, and to the metadata of a cloud', async () => {
    const clear = { ...mail, host: 'smtp.example', security: 'none' };
    expect(() => open(clear)).toThrow(/security is none/);
    await expect(send({ ...mail, host: '169.254.169.254' })).rejects.toMatchObject({
      code: 'address_refused',
    });
  });
});
