import { createHash, randomBytes } from 'node:crypto';
import type { VkitClient } from '../client/vkit-client.js';
import type { AuthDiscovery, LoginAnswer } from '../client/wire.js';
import { VkitError } from '../errors/index.js';
import { isLoopbackHost } from '../util/outbound.js';
import { handleInterrupt } from './interrupt.js';
import { listenOnLoopback } from './loopback-listener.js';

/** As long as the server lets a login take. */
const LOGIN_MS = 300_000;
const SECRET_BYTES = 32;

/**
 * A login in the browser. What the server gives the session for stays in this process: only its hash is in the address that
 * the browser gets, and the code that comes back is of no use without it. `show` is given that address.
 */
export async function logInByBrowser(
  client: VkitClient,
  { authorize_url }: Pick<AuthDiscovery, 'authorize_url'>,
  show: (url: URL) => void,
): Promise<LoginAnswer> {
  const url = addressOf(authorize_url);
  const [verifier, state] = [random(), random()];
  const listener = await listenOnLoopback(state);
  const interrupted = new AbortController();
  const restore = handleInterrupt(() =>
    interrupted.abort(new VkitError('interrupted', 'Interrupted.')),
  );
  try {
    url.searchParams.set('challenge', createHash('sha256').update(verifier).digest('base64url'));
    url.searchParams.set('port', String(listener.port));
    url.searchParams.set('state', state);
    show(url);
    const code = await listener.code(LOGIN_MS, interrupted.signal);
    return await client.exchangeLogin(code, verifier);
  } finally {
    restore();
    listener.close();
  }
}

/** The server says where to begin; it is opened in a browser, so it is looked at before. */
function addressOf(text: string | undefined): URL {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : null;
  const clear = url?.protocol === 'http:' && isLoopbackHost(url.hostname);
  if (url && (url.protocol === 'https:' || clear) && !url.username && !url.password) return url;
  throw new VkitError('unavailable', 'The server names no address to log in at.', {
    hint: 'With a password: vkit login --email ADDRESS',
  });
}

function random(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}
