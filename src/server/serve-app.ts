import type { App } from '../app.js';
import { VkitError } from '../errors/index.js';
import { createServer } from './create-server.js';
import type { Server } from './server-context.js';

export interface Serving {
  url: string;
  /** Lets running requests finish. */
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
const PORT = 3000;
const REQUESTS_PER_MINUTE_MAX = 30_000;

/** Listens for an app that is open already, on 127.0.0.1: at port 3000, or a free one where that is taken. */
export async function serveApp(app: App, version: string): Promise<Serving> {
  const server = await createServer(app.context, {
    version,
    logLevel: 'silent',
    requestsPerMinuteMax: REQUESTS_PER_MINUTE_MAX,
    jwks: app.jwks,
  });
  return { url: await listen(server), close: () => server.close() };
}

async function listen(server: Server): Promise<string> {
  for (const port of [PORT, 0]) {
    try {
      return await server.listen({ host: HOST, port });
    } catch (cause) {
      if (port !== 0 && (cause as NodeJS.ErrnoException).code === 'EADDRINUSE') continue;
      throw new VkitError('unavailable', `The server cannot listen on ${HOST}.`, { cause });
    }
  }
  throw new VkitError('unavailable', `No port of ${HOST} is free.`);
}
