import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';

export interface FakeColumn {
  name: string;
  /** Of the protocol: `fixed`, `real`, `text`, `boolean`, `date`, `time`, `timestamp_ntz`, `binary`, `variant`. */
  type: string;
  scale?: number;
  precision?: number;
  fields?: unknown[];
}

export type FakeRow = readonly (string | null)[];

export interface FakeResult {
  columns: readonly FakeColumn[];
  rows?: readonly FakeRow[];
  /** Rows beyond those of the answer itself, each list a file of its own. */
  chunks?: readonly (readonly FakeRow[])[];
}

export type FakeAnswer =
  | FakeResult
  | { error: { code: string; message: string } }
  /** Answers "still running" so many times before its result. */
  | { polls: number; result: FakeResult }
  /** Never answers by itself; once it is cancelled, it says so. */
  | 'runs'
  /** Closes the connection, or says that the session's token is too old. */
  | 'drops'
  | 'expired';

export interface Bindings {
  [index: string]: { type: string; value: string };
}

export interface FakeStatement {
  sql: string;
  bindings: Bindings;
  session: string;
}

export interface FakeOptions {
  /** The answer to a statement; `undefined` leaves it to the fake's own. */
  answer?: (statement: FakeStatement) => FakeAnswer | undefined;
  /** Whether the files of large results are not there. */
  losesChunks?: boolean;
  /** Why a login is refused. */
  refuse?: (data: Record<string, unknown>) => { code: string; message: string } | undefined;
  database?: string | null;
  warehouse?: string | null;
}

export interface FakeSnowflake {
  url: URL;
  options: FakeOptions;
  logins: { data: Record<string, unknown>; query: URLSearchParams }[];
  statements: FakeStatement[];
  /** Query ids, or request ids before there is one, that were cancelled. */
  cancelled: string[];
  renewals: number;
  logouts: number;
  chunksSent: number;
  /** Everything that the fake has no answer for. */
  unknown: string[];
  /** Forgets every session, as a service that ended them. */
  endSessions(): void;
  close(): Promise<void>;
}

const MASTER = 'master-t0ken';
const TEXT = (name: string): FakeColumn => ({ name, type: 'text' });

/** A server of the protocol that snowflake-sdk speaks, on this machine: it holds no SQL, only answers. */
export async function startFakeSnowflake(options: FakeOptions = {}): Promise<FakeSnowflake> {
  const sessions = new Map<string, { parameters: Map<string, unknown> }>();
  const results = new Map<string, { polls: number; result: FakeResult; session: string }>();
  const files = new Map<string, readonly FakeRow[]>();
  const running = new Map<string, () => unknown>();

  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = new URL(`http://127.0.0.1:${port}`);

  const fake: FakeSnowflake = {
    url,
    options,
    logins: [],
    statements: [],
    cancelled: [],
    renewals: 0,
    logouts: 0,
    chunksSent: 0,
    unknown: [],
    endSessions: () => sessions.clear(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const target = new URL(request.url ?? '/', url);
    const body = await readBody(request);
    const token = /^Snowflake Token="(.*)"$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const path = target.pathname;
    if (path.startsWith('/chunk/')) {
      fake.chunksSent += 1;
      // Rows without the brackets around them, as the files of results are.
      const text = JSON.stringify(files.get(path) ?? []).slice(1, -1);
      if (fake.options.losesChunks) return response.writeHead(404).end();
      return response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(text));
    }
    if (path === '/session/v1/login-request') return logIn(target, body, response);
    if (path === '/session/token-request') return renew(token, response);
    if (path === '/telemetry/send') return answer(response, { success: true, data: null });
    const session = sessions.get(token);
    if (path.endsWith('/abort-request')) return abort(path, body, response);
    if (session === undefined) return refuse(response, '390111', 'Session no longer exists.');
    if (path === '/session') {
      fake.logouts += 1;
      sessions.delete(token);
      return answer(response, { success: true, data: null });
    }
    const [, queryId] = /^\/queries\/([^/]+)\/result$/.exec(path) ?? [];
    if (queryId !== undefined) return poll(queryId, token, response);
    if (path === '/queries/v1/query-request') return runStatement(token, target, body, response);
    fake.unknown.push(`${request.method} ${path}`);
    return response.writeHead(404).end();
  }

  function logIn(target: URL, body: Record<string, unknown>, response: ServerResponse): unknown {
    const data = body.data as Record<string, unknown>;
    fake.logins.push({ data, query: target.searchParams });
    const refusal = fake.options.refuse?.(data);
    if (refusal) return refuse(response, refusal.code, refusal.message);
    const token = `t0ken-${randomUUID()}`;
    sessions.set(token, { parameters: new Map() });
    const validity = { validityInSeconds: 3600, masterValidityInSeconds: 14400 };
    const session = { token, masterToken: MASTER, sessionId: sessions.size, ...validity };
    return answer(response, { success: true, data: { ...session, parameters: [] } });
  }

  function renew(master: string, response: ServerResponse): unknown {
    if (master !== MASTER) return refuse(response, '390114', 'The master token has expired.');
    fake.renewals += 1;
    const token = `t0ken-${randomUUID()}`;
    sessions.set(token, { parameters: new Map(renewedParameters) });
    const validity = { validityInSecondsST: 3600, validityInSecondsMT: 14400 };
    return answer(response, {
      success: true,
      data: { sessionToken: token, masterToken: MASTER, ...validity },
    });
  }
  let renewedParameters = new Map<string, unknown>();

  function abort(path: string, body: Record<string, unknown>, response: ServerResponse): unknown {
    const [, byPath = ''] = /^\/queries\/([^/]+)\/abort-request$/.exec(path) ?? [];
    const id = byPath === 'v1' ? String(body.requestId) : byPath;
    fake.cancelled.push(id);
    running.get(id)?.();
    return answer(response, { success: true, data: null });
  }

  function poll(queryId: string, token: string, response: ServerResponse): unknown {
    const waiting = results.get(queryId);
    if (waiting === undefined) return refuse(response, '000709', 'Statement not found.');
    if (waiting.polls > 0) {
      waiting.polls -= 1;
      return stillRunning(queryId, response);
    }
    return sendResult(token, queryId, waiting.result, response);
  }

  function stillRunning(queryId: string, response: ServerResponse): unknown {
    const data = { queryId, getResultUrl: `/queries/${queryId}/result` };
    return answer(response, { success: true, code: '333334', data });
  }

  function runStatement(
    token: string,
    target: URL,
    body: Record<string, unknown>,
    response: ServerResponse,
  ): unknown {
    const sql = String(body.sqlText);
    const bindings = (body.bindings ?? {}) as Bindings;
    const statement = { sql, bindings, session: token };
    fake.statements.push(statement);
    const parameters = sessions.get(token)?.parameters ?? new Map();
    const given = fake.options.answer?.(statement) ?? ownAnswer(sql, parameters);
    const queryId = randomUUID();
    if (given === 'drops') return response.destroy();
    if (given === 'expired') {
      renewedParameters = parameters;
      sessions.delete(token);
      return refuse(response, '390112', 'Your session has expired. Please login again.');
    }
    if (given === 'runs') {
      const stop = () =>
        refuse(response, '000604', 'SQL execution canceled', { queryId, sqlState: '57014' });
      return running.set(target.searchParams.get('requestId') ?? '', stop);
    }
    if ('error' in given) {
      return refuse(response, given.error.code, given.error.message, {
        queryId,
        sqlState: '42000',
      });
    }
    if ('polls' in given) {
      results.set(queryId, { ...given, session: token });
      return stillRunning(queryId, response);
    }
    return sendResult(token, queryId, given, response);
  }

  function ownAnswer(sql: string, parameters: Map<string, unknown>): FakeAnswer {
    if (sql.startsWith('ALTER SESSION SET ')) {
      for (const [, name = '', text, word = ''] of sql.matchAll(/(\w+) = (?:'([^']*)'|(\w+))/g)) {
        parameters.set(name, text ?? (/^\d+$/.test(word) ? Number(word) : word === 'TRUE'));
      }
      return { columns: [TEXT('status')], rows: [['Statement executed successfully.']] };
    }
    if (sql.startsWith('SELECT CURRENT_SESSION()')) {
      const { database = 'SHOP', warehouse = 'WH' } = fake.options;
      const columns = ['session', 'version', 'database', 'warehouse'].map(TEXT);
      return { columns, rows: [[String(sessions.size), '9.31.0', database, warehouse]] };
    }
    if (sql === 'SELECT 1') {
      return { columns: [{ name: '1', type: 'fixed', scale: 0, precision: 1 }], rows: [['1']] };
    }
    return { error: { code: '002003', message: `Object does not exist: ${sql}` } };
  }

  function sendResult(
    token: string,
    queryId: string,
    { columns, rows = [], chunks = [] }: FakeResult,
    response: ServerResponse,
  ): unknown {
    const parameters = sessions.get(token)?.parameters ?? new Map();
    const described = chunks.map((chunk) => {
      const path = `/chunk/${randomUUID()}`;
      files.set(path, chunk);
      return {
        url: new URL(path, url).href,
        rowCount: chunk.length,
        uncompressedSize: 1,
        compressedSize: 1,
      };
    });
    const total = rows.length + chunks.reduce((count, chunk) => count + chunk.length, 0);
    return answer(response, {
      success: true,
      data: {
        parameters: [...parameters].map(([name, value]) => ({ name, value })),
        rowtype: columns.map((column) => ({
          nullable: true,
          precision: 38,
          scale: null,
          ...column,
        })),
        rowset: rows,
        ...(chunks.length > 0 ? { chunks: described, chunkHeaders: {} } : {}),
        total,
        returned: total,
        queryId,
        queryResultFormat: 'json',
        version: 1,
        statementTypeId: 4096,
      },
    });
  }

  return fake;
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const raw = Buffer.concat(parts);
  const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
  return text.length === 0 ? {} : JSON.parse(text.toString('utf8'));
}

function answer(response: ServerResponse, body: object): unknown {
  return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function refuse(
  response: ServerResponse,
  code: string,
  message: string,
  data: object = {},
): unknown {
  return answer(response, { success: false, code, message, data });
}
