import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import type { AtTheEnd } from './temporary-folder.js';

/** A person at the provider: what it says of them, by the names of claims. */
export type Person = Record<string, unknown>;

export interface OidcServer {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** By subject; a test changes them as an administrator of the provider would. */
  people: Map<string, Person>;
}

/** A free port of 127.0.0.1, for an address that must be known before anybody listens there. */
export async function freePort(): Promise<number> {
  const server = await listening(createServer());
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** oidc-provider on 127.0.0.1, with its own pages for logging in and consenting. */
export async function oidcServer(redirectUri: string, atTheEnd: AtTheEnd): Promise<OidcServer> {
  const server = await listening(createServer());
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const people = new Map<string, Person>();
  const client = {
    client_id: 'vkit',
    client_secret: 'the secret of the client',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code'],
    response_types: ['code'],
  };
  const provider = new Provider(issuer, {
    clients: [client],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), use: 'sig', alg: 'RS256' }] },
    cookies: { keys: ['a key of the test'] },
    ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
    pkce: { methods: ['S256'], required: () => true },
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'groups', 'level', 'site', 'uses'],
    },
    findAccount: async (_context: unknown, id: string) => {
      const claims = people.get(id);
      return claims && { accountId: id, claims: async () => ({ sub: id, ...claims }) };
    },
  });
  server.on('request', provider.callback());
  atTheEnd(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { issuer, clientId: client.client_id, clientSecret: client.client_secret, people };
}

async function listening(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** As much of a browser as a login needs: it keeps cookies by host and follows redirects. */
export class Browser {
  readonly #jar = new Map<string, Map<string, string>>();

  /** Goes where it is sent, logs `subject` in where it is asked to, and consents; ends at `stop`, unfetched, or at a page. */
  async logIn(
    url: string,
    subject: string,
    stop: (url: URL) => boolean = isCliCallback,
  ): Promise<{ url: URL; status: number; text: string }> {
    let next = new URL(url);
    let form: URLSearchParams | undefined;
    for (let step = 0; step < 30; step += 1) {
      if (stop(next)) return { url: next, status: 0, text: '' };
      const response = await this.#fetch(next, form);
      const location = response.headers.get('location');
      const text = await response.text();
      form = undefined;
      if (location !== null) {
        next = new URL(location, next);
        continue;
      }
      const action = /<form[^>]*action="([^"]+)"/.exec(text)?.[1];
      if (action === undefined) return { url: next, status: response.status, text };
      form = text.includes('name="login"')
        ? new URLSearchParams({ prompt: 'login', login: subject, password: 'x' })
        : new URLSearchParams({ prompt: 'consent' });
      next = new URL(action.replaceAll('&amp;', '&'), next);
    }
    throw new Error(`The login goes round and round at ${next.href}`);
  }

  /** One call with the cookies there are, without following anything. */
  async #fetch(url: URL, form: URLSearchParams | undefined): Promise<Response> {
    const jar = this.#jar.get(url.host) ?? new Map<string, string>();
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form ? { body: form } : {}),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      const at = pair.indexOf('=');
      const value = pair.slice(at + 1);
      if (value === '') jar.delete(pair.slice(0, at));
      else jar.set(pair.slice(0, at), value);
    }
    this.#jar.set(url.host, jar);
    return response;
  }
}

export function isCliCallback({ pathname }: URL): boolean {
  return pathname === '/callback';
}
