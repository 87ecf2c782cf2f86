import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isErrorCodeName, VkitError } from '../errors/index.js';

export interface LoopbackListener {
  port: number;
  /** The code that a browser brings. Throws what it brings instead, `unauthenticated` when nobody comes, and the signal's reason. */
  code(timeoutMs: number, signal: AbortSignal): Promise<string>;
  close(): void;
}

/** A reason that a browser brings is shown up to here. */
const MESSAGE_CHARACTERS_MAX = 300;
const HEADER_BYTES_MAX = 16_384;

const PAGE_HEADERS = {
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  connection: 'close',
};

/**
 * Listens on 127.0.0.1 for the one browser that comes back with `state`; whatever else comes, from other pages or programs,
 * is told nothing and changes nothing (RFC 8252, 7.3).
 */
export async function listenOnLoopback(state: string): Promise<LoopbackListener> {
  let resolve: (code: string) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<string>((resolved, rejected) => {
    [resolve, reject] = [resolved, rejected];
  });
  // Somebody may come before anybody waits.
  promise.catch(() => {});
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX }, (request, response) => {
    const query = answerIn(request, port(), state);
    response.writeHead(query ? 200 : 404, PAGE_HEADERS);
    response.end(query ? pageFor(query) : 'There is nothing here.\n');
    if (!query) return;
    const code = query.get('code');
    if (code === null) reject(errorIn(query));
    else resolve(code);
  });
  const port = () => (server.address() as AddressInfo).port;
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(0, '127.0.0.1', listening);
  });
  return {
    port: port(),
    async code(timeoutMs, signal) {
      const late = setTimeout(() => reject(nobodyCame()), timeoutMs);
      const onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        return await promise;
      } finally {
        clearTimeout(late);
        signal.removeEventListener('abort', onAbort);
      }
    },
    close() {
      server.close();
      // A browser keeps its connection for later; nothing more is to come.
      setTimeout(() => server.closeAllConnections(), CLOSE_MS).unref();
    },
  };
}

/** Long enough for the page to arrive. */
const CLOSE_MS = 200;

/** The query of the answer that is waited for; null for everything else. */
function answerIn(
  { method, url = '/', headers }: IncomingMessage,
  port: number,
  state: string,
): URLSearchParams | null {
  // Another name that leads here is a page of somebody else (DNS rebinding).
  if (method !== 'GET' || headers.host !== `127.0.0.1:${port}`) return null;
  if (!URL.canParse(url, 'http://127.0.0.1')) return null;
  const { pathname, searchParams } = new URL(url, 'http://127.0.0.1');
  const given = Buffer.from(searchParams.get('state') ?? '');
  const expected = Buffer.from(state);
  const isOwn = given.length === expected.length && timingSafeEqual(given, expected);
  return pathname === '/callback' && isOwn ? searchParams : null;
}

function pageFor(query: URLSearchParams): string {
  return query.has('code')
    ? 'Done here. Go back to the command line; this window can be closed.\n'
    : 'The login did not succeed. The command line says why; this window can be closed.\n';
}

function errorIn(query: URLSearchParams): VkitError {
  const code = query.get('error');
  const message = query.get('message')?.slice(0, MESSAGE_CHARACTERS_MAX);
  return new VkitError(
    isErrorCodeName(code) ? code : 'unauthenticated',
    message || 'The login in the browser did not succeed.',
  );
}

function nobodyCame(): VkitError {
  return new VkitError('unauthenticated', 'Nobody has logged in in the browser in time.', {
    hint: 'Begin again: vkit login',
  });
}
