import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { VkitClient } from '../client/vkit-client.js';
import { VkitError } from '../errors/index.js';
import { createMcpServer, type McpServerOptions } from './create-mcp-server.js';
import { bearerToken, type HttpPlaces, LOOPBACK_HOSTS, refusalOf } from './http-checks.js';
import { HttpSessions } from './http-sessions.js';

export interface ServeHttpOptions extends Omit<McpServerOptions, 'client'> {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** More names under which this server is called, beside the one it listens on. */
  allowedHosts: readonly string[];
  /** Origins whose pages may call it. */
  allowedOrigins: readonly string[];
  /** The client of whoever sends this token. */
  clientOf: (token: string) => VkitClient;
}

export interface ServedHttp {
  url: string;
  close(): Promise<void>;
}

/** Where the protocol is spoken. */
const PATH = '/mcp';
const HEADERS_TIMEOUT_MS = 10_000;
const CONNECTIONS_MAX = 1_000;

/**
 * Serves the protocol over HTTP (streamable HTTP). Each session is one token's: it is asked of the vkit server when the
 * session begins, passed on with every call, and no other token reaches the session. Throws `conflict` for a port in use.
 */
export async function serveHttp(options: ServeHttpOptions): Promise<ServedHttp> {
  const sessions = new HttpSessions(options.now);
  const places: HttpPlaces = {
    hosts: [...LOOPBACK_HOSTS, options.host, ...options.allowedHosts].map((name) =>
      name.toLowerCase(),
    ),
    origins: options.allowedOrigins.map((origin) => origin.toLowerCase()),
  };
  const http = createServer({ headersTimeout: HEADERS_TIMEOUT_MS }, (request, response) => {
    handle({ options, sessions, places }, request, response).catch(() => {
      // Whatever it was, nothing of it is for the caller.
      if (response.headersSent) response.destroy();
      else refuse(response, 500, 'The call failed in a way the server did not expect.');
    });
  });
  http.maxConnections = CONNECTIONS_MAX;
  const { port } = await listen(http, options);
  const name = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${name}:${port}${PATH}`,
    async close() {
      await sessions.closeAll();
      http.closeAllConnections();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
}

interface Serving {
  options: ServeHttpOptions;
  sessions: HttpSessions;
  places: HttpPlaces;
}

async function handle(
  { options, sessions, places }: Serving,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const refusal = refusalOf(request, places);
  if (refusal !== null) return refuse(response, refusal.status, refusal.message);
  response.setHeader('cache-control', 'no-store');
  if (request.headers.origin !== undefined) allowOrigin(response, request.headers.origin);
  if (new URL(request.url ?? '/', 'http://localhost').pathname !== PATH) {
    return refuse(response, 404, `There is nothing here; the protocol is spoken at ${PATH}.`);
  }
  if (request.method === 'OPTIONS') return void response.writeHead(204).end();
  const token = bearerToken(request);
  if (token === null) return unauthorized(response, 'This needs a bearer token.');
  const id = request.headers['mcp-session-id'];
  if (typeof id === 'string') {
    const session = sessions.find(id, token);
    if (session === null) return refuse(response, 404, 'There is no such session.');
    return session.transport.handleRequest(request, response);
  }
  const client = options.clientOf(token);
  if (!(await isAccepted(client))) return unauthorized(response, 'The token is not accepted.');
  const session = await sessions.begin(token, createMcpServer({ ...options, client }));
  await session.transport.handleRequest(request, response);
  // What was no initialisation has made no session.
  if (session.transport.sessionId === undefined) await session.close();
}

/** Whether the vkit server knows the token; where it does not say, the tools will. */
async function isAccepted(client: VkitClient): Promise<boolean> {
  try {
    await client.whoAmI();
    return true;
  } catch (error) {
    return !(error instanceof VkitError && error.code === 'unauthenticated');
  }
}

function allowOrigin(response: ServerResponse, origin: string): void {
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('vary', 'origin');
  response.setHeader('access-control-allow-methods', 'GET, POST, DELETE');
  response.setHeader(
    'access-control-allow-headers',
    'authorization, content-type, mcp-session-id, mcp-protocol-version, last-event-id',
  );
  response.setHeader('access-control-expose-headers', 'mcp-session-id');
}

function unauthorized(response: ServerResponse, message: string): void {
  response.setHeader('www-authenticate', 'Bearer');
  refuse(response, 401, message);
}

/** In the form of the protocol's errors, which carry no id where nothing was read. */
function refuse(response: ServerResponse, status: number, message: string): void {
  const body = { jsonrpc: '2.0', error: { code: -32000, message }, id: null };
  // What is still being sent is not read.
  response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function listen(http: Server, { host, port }: ServeHttpOptions): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    http.once('error', (cause: NodeJS.ErrnoException) => {
      const inUse = cause.code === 'EADDRINUSE';
      const what = inUse ? 'is in use' : 'cannot be listened on';
      const message = `The port ${port} of ${host} ${what}.`;
      const hint = 'Name another one with --port.';
      reject(new VkitError(inUse ? 'conflict' : 'config_invalid', message, { hint, cause }));
    });
    http.listen(port, host, resolve);
  });
  return http.address() as AddressInfo;
}
