import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';

export interface HttpSession {
  transport: StreamableHTTPServerTransport;
  close(): Promise<void>;
}

/** Sessions at one time, and of one token among them. */
const SESSIONS_MAX = 500;
const SESSIONS_OF_TOKEN_MAX = 50;
/** A session that nobody has used for as long is over. */
const IDLE_MS = 30 * 60_000;
const MESSAGE_BYTES_MAX = 1_048_576;

interface Held extends HttpSession {
  tokenHash: Buffer;
  usedAt: number;
}

/**
 * The sessions of an HTTP server, each of the token that began it: with another token it is not there. An idle session is
 * closed when another begins; where there are too many, the one of the same token, or of all, that was used longest ago.
 */
export class HttpSessions {
  readonly #held = new Map<string, Held>();

  constructor(private readonly now: () => number) {}

  /** The session of that id, if it is this token's. */
  find(id: string, token: string): HttpSession | null {
    const session = this.#held.get(id);
    if (!session || !timingSafeEqual(session.tokenHash, hashOf(token))) return null;
    if (this.now() - session.usedAt > IDLE_MS) {
      void this.#drop(id);
      return null;
    }
    session.usedAt = this.now();
    return session;
  }

  /** A transport for a new session, which is kept once a client has initialised it. */
  async begin(token: string, server: Server): Promise<HttpSession> {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      maxRequestBodySize: MESSAGE_BYTES_MAX,
      onsessioninitialized: (id) => {
        const tokenHash = hashOf(token);
        this.#makeRoom(tokenHash);
        this.#held.set(id, { ...session, tokenHash, usedAt: this.now() });
      },
      onsessionclosed: (id) => void this.#held.delete(id),
    });
    const session: HttpSession = { transport, close: () => server.close() };
    // Under exactOptionalPropertyTypes-like declarations the transport's own type is wider than its interface.
    await server.connect(transport as Parameters<Server['connect']>[0]);
    return session;
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#held.keys()].map((id) => this.#drop(id)));
  }

  #makeRoom(tokenHash: Buffer): void {
    for (const [id, { usedAt }] of this.#held) {
      if (this.now() - usedAt > IDLE_MS) void this.#drop(id);
    }
    const own = [...this.#held].filter(([, session]) => session.tokenHash.equals(tokenHash));
    if (own.length >= SESSIONS_OF_TOKEN_MAX) this.#dropOldest(own);
    if (this.#held.size >= SESSIONS_MAX) this.#dropOldest([...this.#held]);
  }

  #dropOldest(sessions: readonly [string, Held][]): void {
    const [oldest] = [...sessions].sort(([, a], [, b]) => a.usedAt - b.usedAt);
    if (oldest) void this.#drop(oldest[0]);
  }

  async #drop(id: string): Promise<void> {
    const session = this.#held.get(id);
    this.#held.delete(id);
    await session?.close();
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
