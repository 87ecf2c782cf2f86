import { connect, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

/** What a server of a test does once it is connected: it writes packets, and `next` is what the client sends. */
export type Script = (peer: Peer, socket: Socket) => Promise<void>;

export interface Peer {
  /** Sends one packet, numbered after the last. */
  send(payload: Buffer): void;
  /** The payload of the client's next packet; `null` once it has hung up. */
  next(): Promise<Buffer | null>;
  /** Takes what has come after the last packet. */
  rest(): Buffer;
}

/** CLIENT_SSL among the capabilities. */
const SSL = 0x0800;

/** The first packet of a server without TLS that wants `plugin` (MySQL's protocol::HandshakeV10). */
export function greeting(plugin: string, withTls = false): Buffer {
  const salt = Buffer.from('abcdefghijklmnopqrst', 'latin1');
  // PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH, CONNECT_WITH_DB, LOCAL_FILES and others; no SSL.
  const capabilities = 0x0008a28d | 0x80 | (withTls ? SSL : 0);
  const fixed = Buffer.alloc(2 + 1 + 2 + 2 + 1 + 10);
  fixed.writeUInt16LE(capabilities & 0xffff, 0);
  fixed.writeUInt8(45, 2);
  fixed.writeUInt16LE(2, 3);
  fixed.writeUInt16LE(capabilities >>> 16, 5);
  fixed.writeUInt8(21, 7);
  return Buffer.concat([
    Buffer.from('\x0a8.0.99\0', 'latin1'),
    Buffer.from([7, 0, 0, 0]),
    salt.subarray(0, 8),
    Buffer.from([0]),
    fixed,
    salt.subarray(8),
    Buffer.from([0]),
    Buffer.from(`${plugin}\0`, 'latin1'),
  ]);
}

/** Asks to authenticate by another plugin. */
export function switchTo(plugin: string): Buffer {
  return Buffer.from(`\xfe${plugin}\0abcdefghijklmnopqrst\0`, 'latin1');
}

export const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0]);

/** Runs a server on 127.0.0.1 while `use` runs; `received` is all that clients sent. */
export async function withServer<T>(
  script: Script,
  use: (server: { port: number; received: () => Buffer }) => Promise<T>,
): Promise<T> {
  const chunks: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    void script(peerOf(socket), socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  try {
    return await use({ port: address.port, received: () => Buffer.concat(chunks) });
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

/**
 * The same for a server that has TLS: the script begins once the client has said who it is, and `received` is what came through
 * TLS.
 */
export async function withTlsServer<T>(
  tls: TlsOptions,
  script: Script,
  use: (server: { port: number; received: () => Buffer }) => Promise<T>,
): Promise<T> {
  const chunks: Buffer[] = [];
  const inner = createTlsServer(tls, async (secure) => {
    secure.on('error', () => undefined);
    secure.on('data', (chunk: Buffer) => chunks.push(chunk));
    // The first packet was the greeting, the second the wish for TLS.
    const inside = peerOf(secure, 2);
    if ((await inside.next()) !== null) await script(inside, secure);
  });
  await new Promise<void>((resolve) => inner.listen(0, '127.0.0.1', resolve));
  const { port: innerPort } = inner.address() as { port: number };
  const upgrade: Script = async (peer, socket) => {
    peer.send(greeting('mysql_native_password', true));
    if ((await peer.next()) === null) return;
    const within = connect(innerPort, '127.0.0.1');
    within.on('error', () => socket.destroy());
    socket.on('close', () => within.destroy());
    // What came right after the packet is of TLS already.
    within.write(peer.rest());
    socket.removeAllListeners('data');
    socket.pipe(within).pipe(socket);
  };
  try {
    return await withServer(upgrade, ({ port }) =>
      use({ port, received: () => Buffer.concat(chunks) }),
    );
  } finally {
    inner.close();
  }
}

function peerOf(socket: Socket, first = 0): Peer {
  let buffered = Buffer.alloc(0);
  let sequence = first;
  let isClosed = false;
  let wake: (() => void) | undefined;
  const onChange = () => {
    wake?.();
    wake = undefined;
  };
  socket.on('data', (chunk: Buffer) => {
    buffered = Buffer.concat([buffered, chunk]);
    onChange();
  });
  socket.on('close', () => {
    isClosed = true;
    onChange();
  });
  return {
    rest() {
      const taken = buffered;
      buffered = Buffer.alloc(0);
      return taken;
    },
    send(payload) {
      const header = Buffer.alloc(4);
      header.writeUIntLE(payload.length, 0, 3);
      header.writeUInt8(sequence, 3);
      sequence = (sequence + 1) % 256;
      if (!socket.destroyed) socket.write(Buffer.concat([header, payload]));
    },
    async next() {
      const length = () => (buffered.length < 4 ? Infinity : 4 + buffered.readUIntLE(0, 3));
      while (buffered.length < length()) {
        if (isClosed) return null;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const end = length();
      sequence = (buffered.readUInt8(3) + 1) % 256;
      const payload = buffered.subarray(4, end);
      buffered = buffered.subarray(end);
      return payload;
    },
  };
}
