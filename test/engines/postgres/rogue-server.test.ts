import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { postgres } from '../../../src/engines/postgres/index.js';

const PASSWORD = 'correct-horse-battery';
/** AuthenticationCleartextPassword of PostgreSQL's protocol ("Message Formats"). */
const ASK_IN_CLEAR = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);
const SSL_REQUEST = 80_877_103;

/** Somebody who says that there is no TLS and asks for the password in clear, and keeps all that is sent. */
async function rogue(use: (port: number, sent: () => Buffer) => Promise<void>): Promise<void> {
  const chunks: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      const isSslRequest = chunk.length === 8 && chunk.readInt32BE(4) === SSL_REQUEST;
      socket.write(isSslRequest ? 'N' : ASK_IN_CLEAR);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    await use(port, () => Buffer.concat(chunks));
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function attempt(port: number, host: string, ssl_mode: string, clearPasswordHosts: string[]) {
  const connector = await postgres.connect(
    {
      id: 'shop',
      config: { host, port, database: 'shop', ssl_mode },
      credentials: { username: 'ana', password: PASSWORD },
    },
    { connectTimeoutMs: 2_000, clearPasswordHosts },
  );
  return connector
    .test()
    .then(
      () => undefined,
      (error: unknown) => error,
    )
    .finally(() => connector.close());
}

/** This machine under a name that is not known to be it. */
const OTHER_HOST = '127.1';

describe('a server that asks for the password in clear', () => {
  for (const mode of ['disable', 'prefer']) {
    it(`gets none under another name than this machine's, with ssl_mode ${mode}`, () =>
      rogue(async (port, sent) => {
        const error = await attempt(port, OTHER_HOST, mode, []);
        expect(error).toMatchObject({
          code: 'datasource_unreachable',
          cause: { code: 'PASSWORD_IN_CLEAR' },
        });
        expect(sent().includes('ana')).toBe(true);
        expect(sent().includes(PASSWORD)).toBe(false);
      }));
  }

  it('gets it on this machine, and where whoever runs the server has named the host', () =>
    rogue(async (port, sent) => {
      await attempt(port, '127.0.0.1', 'disable', []);
      expect(sent().includes(PASSWORD)).toBe(true);
    }).then(() =>
      rogue(async (port, sent) => {
        await attempt(port, OTHER_HOST, 'disable', [OTHER_HOST]);
        expect(sent().includes(PASSWORD)).toBe(true);
      }),
    ));
});
