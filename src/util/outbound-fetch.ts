import { VkitError } from '../errors/index.js';
import { canonicalHost } from './address-list.js';
import {
  type AddressRules,
  checkDialled,
  guardedLookup,
  isLoopbackHost,
  type Resolve,
} from './outbound.js';
import type { ProxySettings } from './proxied-fetch.js';

export interface OutboundOptions {
  rules: AddressRules;
  /** From the environment. Behind a proxy names are resolved by it and its rules hold; written addresses are checked still. */
  proxy?: ProxySettings;
  /** PEM certificates that are trusted instead of the system's. */
  ca?: string;
  resolve?: Resolve;
}

export interface OutboundRequest {
  method?: 'GET' | 'POST' | 'PUT';
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  signal?: AbortSignal;
  /** For the whole exchange; default 10 s. */
  timeoutMs?: number;
  /** Of the answer's body; default 64 KiB. What is longer is cut, and the connection closed. */
  bodyBytesMax?: number;
}

export interface OutboundAnswer {
  /** As it came: a redirect is an answer like another and is not followed. */
  status: number;
  /** Names in lower case; of one that came several times the first. */
  headers: Readonly<Record<string, string>>;
  body: string;
  /** Whether the body is longer than was read. */
  isCut: boolean;
}

/**
 * One request to an address that `checkOutboundUrl` passed. Throws `address_refused`, and `unavailable` where no whole answer comes;
 * neither says more of the address than its host, since the rest may be a secret.
 */
export type OutboundFetch = (url: URL, request?: OutboundRequest) => Promise<OutboundAnswer>;

const TIMEOUT_MS = 10_000;
const BODY_BYTES_MAX = 64 * 1024;
const HEADERS_BYTES_MAX = 16 * 1024;

/** A `fetch` for what the server itself calls. The caller closes it. */
export function createOutboundFetch(options: OutboundOptions) {
  let made: ReturnType<typeof loadClient> | undefined;
  const fetch: OutboundFetch = async (url, request = {}) => {
    made ??= loadClient(options);
    const host = canonicalHost(url.hostname);
    checkDialled(host, options.rules);
    const client = await made;
    const { timeoutMs = TIMEOUT_MS, bodyBytesMax = BODY_BYTES_MAX } = request;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = request.signal ? AbortSignal.any([request.signal, timeout]) : timeout;
    try {
      const answer = await client.request(url, {
        dispatcher: client.dispatcherOf(url),
        method: request.method ?? 'GET',
        headers: { ...request.headers },
        body: request.body ?? null,
        signal,
      });
      const headers = Object.entries(answer.headers).map(([name, value]) => [
        name,
        String(Array.isArray(value) ? value[0] : value),
      ]);
      const { body, isCut } = await readBody(answer.body, bodyBytesMax);
      return { status: answer.statusCode, headers: Object.fromEntries(headers), body, isCut };
    } catch (cause) {
      if (cause instanceof VkitError) throw cause;
      if (request.signal?.aborted) {
        throw new VkitError('interrupted', `The call of ${host} was stopped.`);
      }
      const why = timeout.aborted ? `did not answer within ${timeoutMs} ms` : reasonOf(cause);
      throw new VkitError('unavailable', `${host} ${why}.`, { cause });
    }
  };
  return {
    fetch,
    async close() {
      await (await made?.catch(() => undefined))?.close();
    },
  };
}

/** Loaded only where something is called. */
async function loadClient({ rules, proxy = {}, ca, resolve }: OutboundOptions) {
  // Its names are those of the CommonJS module itself, bundled or not.
  const { Agent, EnvHttpProxyAgent, buildConnector, request } = (await import('undici')).default;
  const tls = ca === undefined ? {} : { ca };
  const open = buildConnector({
    ...tls,
    lookup: guardedLookup(rules, resolve),
    timeout: TIMEOUT_MS,
  } as Parameters<typeof buildConnector>[0]);
  const connect: typeof open = (target, callback) => {
    try {
      checkDialled(target.hostname, rules);
    } catch (error) {
      callback(error as Error, null);
      return;
    }
    open(target, callback);
  };
  const bounds = { maxHeaderSize: HEADERS_BYTES_MAX };
  const direct = new Agent({ ...bounds, connect });
  const { https, except = '' } = proxy;
  const proxied =
    https === undefined
      ? direct
      : new EnvHttpProxyAgent({
          ...bounds,
          httpProxy: '',
          httpsProxy: https,
          noProxy: except,
          requestTls: tls,
          // Of those that are reached without it; the proxy itself is the environment's word.
          connect,
        });
  return {
    request,
    dispatcherOf: (url: URL) =>
      url.protocol === 'http:' || isLoopbackHost(url.hostname) ? direct : proxied,
    close: async () => {
      await Promise.all([...new Set([direct, proxied])].map((agent) => agent.destroy()));
    },
  };
}

async function readBody(body: AsyncIterable<Uint8Array>, bytesMax: number) {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    parts.push(part.subarray(0, bytesMax - bytes));
    bytes += part.length;
    // Leaving the loop destroys the body, and the connection with it.
    if (bytes > bytesMax) break;
  }
  return { body: Buffer.concat(parts).toString('utf8'), isCut: bytes > bytesMax };
}

/** Node's word for what failed, without its text, which may repeat more than the host. */
function reasonOf(cause: unknown): string {
  const code = (cause as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[A-Z0-9_]{1,64}$/.test(code)
    ? `cannot be reached (${code})`
    : 'cannot be reached';
}
