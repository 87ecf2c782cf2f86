import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { mysql } from '../../../src/engines/mysql/index.js';
import { hasOpenssl, makeCertificate } from '../../helpers/certificate.js';
import { findMysql } from '../../helpers/mysql.js';
import { withTemporaryFolder } from '../../helpers/temporary-folder.js';

const server = await findMysql();
const skipped = server.reason ?? (hasOpenssl() ? null : 'no openssl to make certificates with');

/** CLIENT_SSL among the capabilities of MySQL's protocol. */
const SSL = 0x0800;
const SSL_REQUEST_BYTES = 36;

describe.skipIf(skipped !== null)(`TLS to MySQL ${skipped ?? ''}`, () => {
  /** Which modes connect to a server whose certificate is for `name`, with it as root and without. */
  const connecting = (name: string, host: string) =>
    withTemporaryFolder(async (folder) => {
      const { key, certificate, certificatePath } = makeCertificate(folder, name);
      const { port, close } = await startTlsServer(new URL(server.url ?? ''), key, certificate);
      const answers: Record<string, boolean> = {};
      for (const ssl_mode of ['disable', 'prefer', 'require', 'verify-ca', 'verify-full']) {
        for (const root of ['', 'with root']) {
          const { config, credentials } = mysql.parseUrl(server.url ?? '');
          const opened = mysql.connect(
            {
              id: 'shop',
              config: {
                ...config,
                ...{ host, port, ssl_mode },
                ...(root ? { ssl_root_cert: certificatePath } : {}),
              },
              credentials,
            },
            { connectTimeoutMs: 3_000 },
          );
          answers[`${ssl_mode} ${root}`.trim()] = await opened
            .then((connector) => connector.test().finally(() => connector.close()))
            .then(
              () => true,
              () => false,
            );
        }
      }
      await close();
      return answers;
    });

  const whatever = {
    disable: false,
    'disable with root': false,
    prefer: true,
    'prefer with root': true,
    require: true,
    'require with root': true,
    'verify-ca': false,
    'verify-ca with root': true,
    'verify-full': false,
  };

  it('verifies the certificate and the name where the mode says so', async () => {
    expect(await connecting('DNS:localhost', 'localhost')).toEqual({
      ...whatever,
      'verify-full with root': true,
    });
  });

  it('does not take the certificate of another name', async () => {
    expect(await connecting('DNS:db.internal', 'localhost')).toEqual({
      ...whatever,
      'verify-full with root': false,
    });
  });

  it('does not take a certificate for localhost as one for an address', async () => {
    expect(await connecting('DNS:localhost', '127.0.0.1')).toEqual({
      ...whatever,
      'verify-full with root': false,
    });
  });
});

/**
 * Offers TLS in the name of the real server, which has none, and passes everything on to it. Within the login a client
 * with TLS has sent one packet more, by which the numbers of packets differ on both sides; afterwards each command
 * begins at 0 again. A client that begins without TLS is turned away.
 */
async function startTlsServer(target: URL, key: Buffer, certificate: Buffer) {
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    const upstream = connectTcp(Number(target.port || 3306), target.hostname);
    for (const end of [socket, upstream]) {
      sockets.add(end);
      end.on('error', () => upstream.destroy());
    }
    upstream.once('data', (greeting: Buffer) => {
      // After the version and its NUL: thread id, eight bytes of salt, a zero, then the lower capabilities.
      const at = greeting.indexOf(0, 5) + 1 + 4 + 8 + 1;
      greeting.writeUInt16LE(greeting.readUInt16LE(at) | SSL, at);
      socket.write(greeting);
      socket.once('data', (request: Buffer) => {
        if ((request.readUInt16LE(4) & SSL) === 0) return socket.destroy();
        // The client does not wait for an answer before it begins with TLS.
        socket.pause();
        if (request.length > SSL_REQUEST_BYTES) socket.unshift(request.subarray(SSL_REQUEST_BYTES));
        const secure = new TLSSocket(socket, { isServer: true, key, cert: certificate });
        secure.on('error', () => upstream.destroy());
        secure.once('data', (login: Buffer) => {
          login.writeUInt16LE(login.readUInt16LE(4) & ~SSL, 4);
          login.writeUInt8(login.readUInt8(3) - 1, 3);
          upstream.once('data', (answer: Buffer) => {
            answer.writeUInt8(answer.readUInt8(3) + 1, 3);
            secure.write(answer);
            secure.pipe(upstream).pipe(secure);
          });
          upstream.write(login);
        });
        return undefined;
      });
    });
  });
  // Both of 127.0.0.1 and ::1, since `localhost` may be either.
  await new Promise<void>((resolve) => listener.listen(0, () => resolve()));
  const address = listener.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    port,
    close: () =>
      new Promise<void>((resolve) => {
        listener.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
