import { connect, createServer, type Server, type Socket } from 'node:net';

/** What a client sent, stopped on its way to the server. */
export interface Held {
  /** Once bytes with the text have come. */
  reached: Promise<void>;
  /** Lets them pass; all that the client sent after them follows. */
  release(): void;
}

/** A TCP proxy in front of a server that is not ours to stop. */
export interface HeldProxy {
  readonly port: number;
  /** Everything that clients have sent, a character for each byte. */
  sent(): string;
  /** Holds what a client sends next with this text in it, once. */
  hold(text: string): Held;
  /** Ends every connection and takes none any more, as a server that stops. */
  stop(): Promise<void>;
  /** Takes connections again, on the same port. */
  start(): Promise<void>;
}

interface Awaited {
  text: string;
  reach(): void;
  released: Promise<void>;
}

/** Runs a proxy on 127.0.0.1 while `use` runs. */
export async function withHeldProxy<T>(
  target: { host: string; port: number },
  use: (proxy: HeldProxy) => Promise<T>,
): Promise<T> {
  const awaited = new Set<Awaited>();
  const sockets = new Set<Socket>();
  const sent: string[] = [];
  let listener: Server | undefined;
  let port = 0;

  const pass = (client: Socket): void => {
    const server = connect(target.port, target.host);
    for (const [end, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(end);
      end.on('error', () => undefined);
      end.on('close', () => {
        sockets.delete(end);
        other.destroy();
      });
    }
    server.pipe(client);
    let last = Promise.resolve();
    client.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      sent.push(text);
      const stop = [...awaited].find((one) => text.includes(one.text));
      if (stop) awaited.delete(stop);
      stop?.reach();
      last = last
        .then(() => stop?.released)
        .then(() => {
          if (!server.destroyed) server.write(chunk);
        });
    });
  };

  const proxy: HeldProxy = {
    get port() {
      return port;
    },
    sent: () => sent.join(''),
    hold(text) {
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      const reached = new Promise<void>((resolve) => {
        awaited.add({ text, reach: resolve, released });
      });
      return { reached, release };
    },
    async stop() {
      const closed = new Promise<void>((resolve) => listener?.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async start() {
      const server = createServer(pass);
      listener = server;
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('There is no port.');
      port = address.port;
    },
  };
  await proxy.start();
  try {
    return await use(proxy);
  } finally {
    await proxy.stop();
  }
}
