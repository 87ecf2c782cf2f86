import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { Type } from 'typebox';
import type { Aql } from '../aql/model.js';
import { VkitError } from '../errors/index.js';
import { GRANT_CHARACTERS_MAX } from '../grants/grant-digest.js';
import type { Execution } from '../services/data-plane.js';
import type { Executor } from '../services/executor/executor.js';
import { holdsExecutorToken } from '../services/executor/executor-token.js';
import type { ExecutionLine } from '../services/executor/wire.js';
import { sendError } from './http-error.js';
import type { Server, ServerOptions } from './server-context.js';
import { loggerOptions } from './server-log.js';
import { silentConnections } from './silent-connections.js';

const BODY_BYTES_MAX = 1024 * 1024;

const Body = Type.Object(
  {
    ticket: Type.String({ maxLength: 4_096 }),
    grant: Type.String({ maxLength: GRANT_CHARACTERS_MAX }),
    // Checked against the hash in the grant: what a control plane has accepted is not parsed again.
    aql: Type.Object({}, { additionalProperties: true }),
  },
  { additionalProperties: false },
);

/** The HTTP side of an executor: one route, for its control plane. */
export function createExecutorServer(
  executor: Executor,
  {
    token,
    version,
    logLevel,
    logStream,
  }: Pick<ServerOptions, 'version' | 'logLevel' | 'logStream'> & { token: string },
): Server {
  const server = fastify({
    // As of the control plane: an error's text may quote a row, and is in no log.
    logger:
      logLevel === 'silent'
        ? false
        : loggerOptions({ level: logLevel, ...(logStream && { stream: logStream }) }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MAX,
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: true } },
    forceCloseConnections: 'idle',
    return503OnClosing: true,
  }).withTypeProvider<TypeBoxTypeProvider>();
  const silent = silentConnections(server);
  server.addHook('preClose', async () => {
    for (const socket of silent) socket.destroy();
  });
  server.setErrorHandler(sendError);
  server.setNotFoundHandler((request, reply) => {
    sendError(new VkitError('not_found', 'There is nothing here.'), request, reply);
  });
  server.get('/up', async () => ({ status: 'up' }));
  server.get('/health', async () => ({ status: 'ready', version, running: executor.running() }));
  server.post(
    '/v1/execute',
    {
      schema: { body: Body },
      onRequest: async (request) => {
        if (holdsExecutorToken(request.headers.authorization, token)) return;
        throw new VkitError('unauthenticated', 'This needs the token of the executors.');
      },
    },
    async (request, reply) => {
      const gone = new AbortController();
      reply.raw.once('close', () => {
        if (!reply.raw.writableFinished) gone.abort();
      });
      if (reply.raw.destroyed) gone.abort();
      const { ticket, grant, aql } = request.body;
      const execution = await executor.execute(
        { ticket, grant, aql: aql as unknown as Aql },
        gone.signal,
      );
      reply.type('application/x-ndjson; charset=utf-8');
      const lines = Readable.from(executionLines(execution, request.log), { objectMode: false });
      return reply.send(lines);
    },
  );
  return server;
}

async function* executionLines(
  execution: Execution,
  log: FastifyBaseLogger,
): AsyncGenerator<string, void, undefined> {
  const { columns, rowsMax, truncatable, batches } = execution;
  yield line({ columns, rows_max: rowsMax, truncatable });
  try {
    for await (const rows of batches) yield line({ rows });
    yield line({ done: true });
  } catch (error) {
    // The status has been sent: what went wrong is told in the last line.
    const known =
      error instanceof VkitError
        ? error
        : new VkitError('internal', 'The executor failed while the query ran.', { cause: error });
    const { code: type, message, hint } = known;
    if (known.httpStatus >= 500) log.error({ err: known, type }, 'query failed');
    yield line({ failed: { type, error: message, ...(hint === undefined ? {} : { hint }) } });
  }
}

function line(value: ExecutionLine): string {
  return `${JSON.stringify(value)}\n`;
}
