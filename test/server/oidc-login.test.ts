import { createHash, randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LoginAnswer, UserBody } from '../../src/client/wire.js';
import { type Governed, governed } from '../helpers/governed.js';
import {
  Browser,
  freePort,
  isCliCallback,
  type OidcServer,
  oidcServer,
} from '../helpers/oidc-server.js';
import { finished, jsonOf, runCli, startCli } from '../helpers/run-cli.js';
import { shared } from '../helpers/shared.js';
import { sqliteShop } from '../helpers/shop.js';

interface World {
  g: Governed;
  idp: OidcServer;
  url: string;
}

const world = shared<World>(async (atTheEnd) => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const idp = await oidcServer(`${url}/api/v1/auth/cli/callback`, atTheEnd);
  const oidc = {
    issuer: idp.issuer,
    client_id: idp.clientId,
    server_url: url,
    users: 'create',
    claims: {
      roles: {
        claim: 'groups',
        map: { 'data-team': ['analyst'], finance: ['finance'], ops: 'admin' },
      },
      clearance: { claim: 'level' },
      region: { claim: 'site', map: { muc: 'EU' } },
    },
  } as const;
  const g = await governed(await sqliteShop({}, atTheEnd), { oidc }, atTheEnd, true, {
    oidcClientSecret: idp.clientSecret,
  });
  await g.deploy(['id: reads\nmatch: {dataset: customers}\naction: {allow: true}\n']);
  await g.server.listen({ host: '127.0.0.1', port });
  return { g, idp, url };
});

interface Started {
  verifier: string;
  state: string;
  challenge: string;
  url: string;
}

/** What a command line does first, without a command line. */
function start({ url }: World, port = 40_000): Started {
  const [verifier, state] = [randomBytes(32), randomBytes(32)].map((one) =>
    one.toString('base64url'),
  );
  const challenge = createHash('sha256')
    .update(verifier as string)
    .digest('base64url');
  const address = new URL(`${url}/api/v1/auth/cli/authorize`);
  address.search = String(
    new URLSearchParams({ challenge, port: String(port), state: state as string }),
  );
  return { verifier: verifier as string, state: state as string, challenge, url: address.href };
}

function exchange({ g }: World, code: string | null, verifier: string) {
  return g.call<LoginAnswer & { type?: string }>('', 'POST', '/auth/cli/token', { code, verifier });
}

/** The whole of a login; its answer, or what the browser brought instead of a code. */
async function logIn(w: World, subject: string, browser = new Browser()) {
  const started = start(w);
  const { url } = await browser.logIn(started.url, subject);
  expect(url.searchParams.get('state')).toBe(started.state);
  const code = url.searchParams.get('code');
  if (code === null) return { refused: url.searchParams.get('error'), url };
  const answer = await exchange(w, code, started.verifier);
  expect(answer.status).toBe(200);
  return { answer: answer.body, code, started, url };
}

let people = 0;
function person({ idp }: World, claims: object = {}): string {
  people += 1;
  const subject = `person-${people}`;
  idp.people.set(subject, { email: `${subject}@acme.test`, email_verified: true, ...claims });
  return subject;
}

async function userOf({ g }: World, email: string): Promise<UserBody | undefined> {
  const { body } = await g.call<{ users: UserBody[] }>(g.admin, 'GET', '/orgs/acme/users');
  return body.users.find((user) => user.email === email);
}

describe('a login in the browser', () => {
  it('is what the server prefers once it is configured, beside passwords', async () => {
    const w = world();
    expect((await w.g.call('', 'GET', '/auth/discovery')).body).toMatchObject({
      preferred: 'oidc',
      methods: ['oidc', 'password', 'token'],
      authorize_url: `${w.url}/api/v1/auth/cli/authorize`,
    });
  });

  it('makes an account with what the claims say, and nothing that they do not say', async () => {
    const w = world();
    const groups = ['data-team', 'admin', 'someone-elses'];
    const subject = person(w, { groups, level: 'medium', site: 'muc' });
    const { answer } = await logIn(w, subject);
    expect(answer?.user).toMatchObject({
      email: `${subject}@acme.test`,
      roles: ['analyst'],
      clearance: 'medium',
      region: 'EU',
      purposes: [],
    });
    const me = await w.g.call(answer?.token ?? '', 'GET', '/whoami');
    expect(me).toMatchObject({ status: 200, body: { email: `${subject}@acme.test` } });
    const bare = await logIn(w, person(w, { level: 'beyond', site: ['muc', 'lon'] }));
    expect(bare.answer?.user).toMatchObject({ roles: [], clearance: null, region: null });
  });

  it('takes roles away with the groups, at the next login, and at once from what is out', async () => {
    const w = world();
    const subject = person(w, { groups: ['data-team', 'finance'], level: 'high' });
    const first = await logIn(w, subject);
    expect(first.answer?.user).toMatchObject({ roles: ['analyst', 'finance'], clearance: 'high' });
    w.idp.people.set(subject, {
      email: `${subject}@acme.test`,
      email_verified: true,
      groups: ['data-team'],
    });
    const second = await logIn(w, subject);
    expect(second.answer?.user).toMatchObject({ roles: ['analyst'], clearance: null });
    expect(second.answer?.user.id).toBe(first.answer?.user.id);
    const earlier = await w.g.call(first.answer?.token ?? '', 'GET', '/whoami');
    expect(earlier.body).toMatchObject({ roles: ['analyst'], clearance: null });
  });

  it('knows a person by the subject, not by the address', async () => {
    const w = world();
    const subject = person(w);
    const { answer } = await logIn(w, subject);
    w.idp.people.set(subject, { email: `new-${subject}@acme.test`, email_verified: true });
    const renamed = await logIn(w, subject);
    expect(renamed.answer?.user).toMatchObject({
      id: answer?.user.id,
      email: `new-${subject}@acme.test`,
    });
    // Who gets the address of somebody else at the provider does not get their account.
    const heir = person(w, { email: `new-${subject}@acme.test` });
    expect((await logIn(w, heir)).refused).toBe('forbidden');
  });

  it.each([
    ['whose address is not verified', { email_verified: false }],
    ['whose address is verified as a text', { email_verified: 'true' }],
    ['without an address', { email: undefined }],
    ['with the address of an account that has a password', { email: 'root@acme.test' }],
  ])('is refused to a person %s, and leaves no account', async (_who, claims) => {
    const w = world();
    const subject = person(w, claims);
    expect((await logIn(w, subject)).refused).toBe('forbidden');
    expect(await userOf(w, `${subject}@acme.test`)).toBeUndefined();
  });

  it('is refused to an account that is disabled, until it is enabled again', async () => {
    const w = world();
    const subject = person(w);
    const { answer } = await logIn(w, subject);
    const path = `/orgs/acme/users/${answer?.user.id}`;
    expect((await w.g.call(w.g.admin, 'POST', `${path}/disable`, {})).status).toBe(200);
    expect((await w.g.call(answer?.token ?? '', 'GET', '/whoami')).status).toBe(401);
    expect((await logIn(w, subject)).refused).toBe('forbidden');
    expect((await w.g.call(w.g.admin, 'POST', `${path}/enable`, {})).status).toBe(200);
    expect((await w.g.call(answer?.token ?? '', 'GET', '/whoami')).status).toBe(401);
    expect((await logIn(w, subject)).answer).toBeDefined();
  });

  it('finds the account that an administrator made for it, and one that was handed over', async () => {
    const w = world();
    const made = await w.g.call<UserBody>(w.g.admin, 'POST', '/orgs/acme/users', {
      email: 'waiting@acme.test',
      purposes: ['support'],
    });
    expect(made).toMatchObject({ status: 201, body: { login: 'oidc' } });
    const first = await logIn(w, person(w, { email: 'Waiting@acme.test' }));
    expect(first.answer?.user).toMatchObject({ id: made.body.id, purposes: ['support'] });

    const token = await w.g.user({ email: 'moved@acme.test', roles: ['finance'] });
    const subject = person(w, { email: 'moved@acme.test', groups: ['data-team'] });
    expect((await logIn(w, subject)).refused).toBe('forbidden');
    const path = '/orgs/acme/users/moved%40acme.test';
    const moved = await w.g.call(w.g.admin, 'PATCH', path, { login: 'oidc' });
    expect(moved).toMatchObject({ status: 200, body: { login: 'oidc' } });
    expect((await w.g.call(token, 'GET', '/whoami')).status).toBe(401);
    expect((await logIn(w, subject)).answer?.user).toMatchObject({ roles: ['analyst'] });
  });

  it('leaves to the provider what the provider says', async () => {
    const w = world();
    const subject = person(w, { groups: ['data-team'] });
    const { answer } = await logIn(w, subject);
    const path = `/orgs/acme/users/${answer?.user.id}`;
    const change = await w.g.call(w.g.admin, 'PATCH', path, { roles: ['finance'] });
    expect(change).toMatchObject({ status: 409, body: { details: { attribute: 'roles' } } });
    expect((await w.g.call(w.g.admin, 'PATCH', path, { purposes: ['x'] })).status).toBe(200);
    const password = { password: 'a password of twelve' };
    expect((await w.g.call(w.g.admin, 'POST', `${path}/password`, password)).status).toBe(409);
  });

  it('is on record, who was let in and who was not', async () => {
    const w = world();
    const subject = person(w);
    await logIn(w, subject);
    await logIn(w, person(w, { email_verified: false }));
    const page = await w.g.call<{ records: Record<string, unknown>[] }>(
      w.g.admin,
      'GET',
      '/orgs/acme/audit?limit=4',
    );
    expect(page.body.records.map(({ event, metadata }) => [event, metadata])).toMatchObject([
      ['login.failed', { method: 'oidc', reason: 'forbidden' }],
      ['login.succeeded', { method: 'oidc' }],
      ['user.created', { email: `${subject}@acme.test`, login: 'oidc' }],
      expect.anything(),
    ]);
    expect(JSON.stringify(page.body)).not.toContain(w.idp.clientSecret);
  });
});

describe('a login that somebody else has a hand in', () => {
  it('does not log the command line of the attacker in: its code goes to the machine of who logged in', async () => {
    const w = world();
    const attacker = start(w);
    const { url } = await new Browser().logIn(attacker.url, person(w));
    // The browser is sent to itself, never to an address that the attacker could name.
    expect(url.origin).toBe('http://127.0.0.1:40000');
    const guesses = [attacker.state, attacker.challenge, attacker.verifier, 'x'.repeat(43)];
    for (const guess of guesses) {
      expect((await exchange(w, guess, attacker.verifier)).status).toBe(401);
    }
  });

  it('takes no address but a port of 127.0.0.1', async () => {
    const w = world();
    const { challenge, state } = start(w);
    for (const port of ['80', '0', '70000', '4000@evil.test', '40000.evil.test', '-1', '']) {
      const query = new URLSearchParams({ challenge, state, port });
      const answer = await w.g.server.inject(`/api/v1/auth/cli/authorize?${query}`);
      expect([port, answer.statusCode]).toEqual([port, 400]);
    }
  });

  it('is of no use to who has the code without the verifier, nor the verifier of another login', async () => {
    const w = world();
    const started = start(w);
    const { url } = await new Browser().logIn(started.url, person(w));
    const code = url.searchParams.get('code');
    expect((await exchange(w, code, start(w).verifier)).status).toBe(401);
    expect((await exchange(w, code, started.challenge)).status).toBe(401);
    expect((await exchange(w, code, started.verifier)).status).toBe(200);
  });

  it('cannot be ended in another browser than the one it was begun in', async () => {
    const w = world();
    const isBack = (url: URL) => url.pathname.endsWith('/auth/cli/callback');
    // The attacker logs in as themselves and hands the last step to the victim's browser.
    const { url } = await new Browser().logIn(start(w).url, person(w), isBack);
    const victim = new Browser();
    await victim.logIn(start(w).url, person(w), isBack);
    const stopped = await victim.logIn(url.href, 'nobody');
    expect([stopped.status, JSON.parse(stopped.text).type]).toEqual([401, 'unauthenticated']);
    const bare = await new Browser().logIn(url.href, 'nobody');
    expect(bare.status).toBe(401);
  });

  it('is over once it was ended: the same answer of the provider does nothing twice', async () => {
    const w = world();
    const browser = new Browser();
    const isBack = (url: URL) => url.pathname.endsWith('/auth/cli/callback');
    const { url } = await browser.logIn(start(w).url, person(w), isBack);
    expect((await browser.logIn(url.href, 'x')).url.searchParams.has('code')).toBe(true);
    expect((await browser.logIn(url.href, 'x')).status).toBe(401);
  });

  it('gives one session for one code, also to two who ask at once', async () => {
    const w = world();
    const started = start(w);
    const { url } = await new Browser().logIn(started.url, person(w));
    const code = url.searchParams.get('code');
    const answers = await Promise.all([1, 2, 3].map(() => exchange(w, code, started.verifier)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
  });

  it('lives five minutes, before the browser comes back and before the code is fetched', async () => {
    const w = world();
    const isBack = (url: URL) => url.pathname.endsWith('/auth/cli/callback');
    const slow = new Browser();
    const back = await slow.logIn(start(w).url, person(w), isBack);
    const started = start(w);
    const { url } = await new Browser().logIn(started.url, person(w));
    w.g.clock.now += 300_000;
    expect((await slow.logIn(back.url.href, 'x')).status).toBe(401);
    const late = await exchange(w, url.searchParams.get('code'), started.verifier);
    expect([late.status, late.body.type]).toEqual([401, 'unauthenticated']);
  });

  it('tells the provider’s no, and nothing that the provider wrote', async () => {
    const w = world();
    const isIdp = (url: URL) => url.origin === w.idp.issuer;
    const started = start(w);
    const browser = new Browser();
    const { url } = await browser.logIn(started.url, 'x', isIdp);
    const back = new URL(`${w.url}/api/v1/auth/cli/callback`);
    back.search = String(
      new URLSearchParams({
        error: 'access_denied',
        error_description: 'call 555 now',
        state: url.searchParams.get('state') ?? '',
        iss: w.idp.issuer,
      }),
    );
    const ended = await browser.logIn(back.href, 'x');
    expect(ended.url.searchParams.get('error')).toBe('forbidden');
    expect(ended.url.href).not.toContain('555');
  });
});

describe('vkit login', () => {
  it('logs in by the browser, prints where, and keeps no secret in any address', async () => {
    const w = world();
    const home = join(w.g.folder, 'home');
    const env = { XDG_CONFIG_HOME: home };
    const child = startCli(['login', '--endpoint', w.url, '--json'], { env });
    const ended = finished(child);
    const address = await addressOn(child.stderr);
    const asked = new URL(address);
    expect([...asked.searchParams.keys()].sort()).toEqual(['challenge', 'port', 'state']);
    const { url } = await new Browser().logIn(address, person(w, { groups: ['data-team'] }));
    expect(url.origin).toBe(`http://127.0.0.1:${asked.searchParams.get('port')}`);
    // What is not the answer to its own question changes nothing.
    for (const wrong of [`${url.origin}/`, `${url.origin}/callback?code=x&state=y`]) {
      expect((await fetch(wrong)).status).toBe(404);
    }
    expect((await fetch(url)).status).toBe(200);
    const result = await ended;
    expect([result.code, result.stderr]).toEqual([0, expect.stringContaining(address)]);
    expect(jsonOf(result)).toMatchObject({ status: 'logged_in', roles: ['analyst'] });
    const path = join(home, 'vkit', 'credentials.json');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const { profiles } = JSON.parse(await readFile(path, 'utf8'));
    const { token } = profiles.default;
    expect(address + url.href + result.stdout + result.stderr).not.toContain(token);
    const me = await runCli(['whoami', '--json'], { env });
    expect(jsonOf(me)).toMatchObject({ roles: ['analyst'], org: 'acme' });
  });

  it('exits 6 when the provider says no, and says why', async () => {
    const w = world();
    const child = startCli(['login', '--endpoint', w.url, '--no-browser'], {
      env: { XDG_CONFIG_HOME: join(w.g.folder, 'nobody') },
    });
    const ended = finished(child);
    const { url } = await new Browser().logIn(
      await addressOn(child.stderr),
      person(w, { email_verified: false }),
      isCliCallback,
    );
    await fetch(url);
    const result = await ended;
    expect([result.code, result.stderr]).toEqual([6, expect.stringContaining('verified')]);
  });

  it('logs in with a password where --email says so', async () => {
    const w = world();
    const result = await runCli(
      ['login', '--endpoint', w.url, '--email', 'x@acme.test', '--password-stdin'],
      { env: { XDG_CONFIG_HOME: join(w.g.folder, 'x') }, stdin: 'a wrong password' },
    );
    expect([result.code, result.stderr]).toEqual([6, expect.stringContaining('wrong')]);
  });
});

function addressOn(stderr: NodeJS.ReadableStream | null): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    stderr?.on('data', (chunk) => {
      text += chunk;
      const found = /https?:\/\/\S+/.exec(text)?.[0];
      if (found !== undefined && text.endsWith('\n\n')) resolve(found);
    });
    stderr?.on('end', () => reject(new Error(`No address: ${text}`)));
  });
}
