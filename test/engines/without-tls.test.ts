import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ENGINES } from '../../src/engines/index.js';
import { enginesUnderTest } from '../conformance/engines.js';

const MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'];
/** CLIENT_SSL among the capabilities of MySQL's protocol. */
const SSL = 0x0800;
const SSL_REQUEST_BYTES = 8;
const USER = 'vkit_no_such_user';

/** What stands between a client and the server: it says whether there is TLS, and breaks it where it says so. */
type Offer = 'none' | 'broken';

interface Between {
  port: number;
  /** What each connection sent, in the clear. */
  sent: Buffer[];
  close(): Promise<void>;
}

for (const engine of [enginesUnderTest.postgres, enginesUnderTest.mysql]) {
  const title = engine.skipped ? `${engine.name} (skipped: ${engine.skipped})` : engine.name;
  const stand = engine.name === 'postgres' ? betweenPostgres : betweenMysql;

  describe.skipIf(engine.skipped !== null)(`${title}, each mode of TLS`, () => {
    /** Which modes reach the server, and which of them send a name over a connection without TLS. */
    const trying = async (offer: Offer) => {
      const answers: Record<string, { reached: boolean; told: boolean }> = {};
      await engine.withGround(async ({ target }) => {
        for (const ssl_mode of MODES) {
          for (const credentials of [target.credentials, { username: USER, password: 's3cret' }]) {
            const between = await stand(target.config, offer);
            const config = { ...target.config, host: 'localhost', port: between.port, ssl_mode };
            const options = { connectTimeoutMs: 3_000 };
            const connector = await ENGINES[engine.name].connect(
              { ...target, config, credentials },
              options,
            );
            const reached = await connector.test().then(
              () => true,
              () => false,
            );
            await connector.close();
            const told = Buffer.concat(between.sent).includes(USER);
            const before = answers[ssl_mode] ?? { reached: false, told: false };
            answers[ssl_mode] = {
              reached: before.reached || reached,
              told: before.told || told,
            };
            await between.close();
          }
        }
      });
      return answers;
    };
    const clear = { reached: true, told: true };
    const nothing = { reached: false, told: false };

    it('to a server that has none', async () => {
      expect(await trying('none')).toEqual({
        disable: clear,
        prefer: clear,
        require: nothing,
        'verify-ca': nothing,
        'verify-full': nothing,
      });
    });

    it('to a server whose TLS somebody breaks: nothing is sent without it', async () => {
      const { disable, ...others } = await trying('broken');
      expect(disable).toEqual(clear);
      expect(others).toEqual({
        prefer: nothing,
        require: nothing,
        'verify-ca': nothing,
        'verify-full': nothing,
      });
    });
  });
}

type Config = Readonly<Record<string, unknown>>;

function betweenPostgres({ host, port }: Config, offer: Offer): Promise<Between> {
  return listen((socket, sent) => {
    const pass = (first: Buffer) => {
      const upstream = join(socket, connect(Number(port), String(host)));
      upstream.write(first);
      socket.pipe(upstream);
    };
    socket.once('data', (request: Buffer) => {
      sent(request);
      if (request.length !== SSL_REQUEST_BYTES) return pass(request);
      socket.write(offer === 'none' ? 'N' : 'S');
      socket.once('data', (next: Buffer) => {
        sent(next);
        if (offer === 'none') pass(next);
        else socket.end('no TLS at all');
      });
      return undefined;
    });
  });
}

function betweenMysql({ host, port }: Config, offer: Offer): Promise<Between> {
  return listen((socket, sent) => {
    const upstream = connect(Number(port), String(host));
    upstream.once('data', (greeting: Buffer) => {
      // After the version and its NUL: thread id, eight bytes of salt, a zero, then the lower capabilities.
      const at = greeting.indexOf(0, 5) + 1 + 4 + 8 + 1;
      const has = greeting.readUInt16LE(at);
      greeting.writeUInt16LE(offer === 'none' ? has & ~SSL : has | SSL, at);
      socket.write(greeting);
      join(socket, upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('data', (data: Buffer) => {
      sent(data);
      const asksForTls = data.length >= 6 && (data.readUInt16LE(4) & SSL) !== 0;
      if (offer === 'broken' && data.readUInt8(3) === 1 && asksForTls) socket.end('no TLS at all');
      else upstream.write(data);
    });
  });
}

function join(socket: Socket, upstream: Socket): Socket {
  upstream.on('error', () => socket.destroy());
  upstream.on('close', () => socket.destroy());
  socket.on('close', () => upstream.destroy());
  upstream.pipe(socket);
  return upstream;
}

async function listen(
  serve: (socket: Socket, sent: (data: Buffer) => void) => void,
): Promise<Between> {
  const sent: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket, (data) => sent.push(data));
  });
  // Both of 127.0.0.1 and ::1, since `localhost` may be either.
  await new Promise<void>((resolve) => server.listen(0, () => resolve()));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('There is no port.');
  return {
    port: address.port,
    sent,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
