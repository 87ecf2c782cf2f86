import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { postgres } from '../../../src/engines/postgres/index.js';
import { hasOpenssl, makeCertificate } from '../../helpers/certificate.js';
import { findPostgres } from '../../helpers/postgres.js';
import { withTemporaryFolder } from '../../helpers/temporary-folder.js';

const server = await findPostgres();
const skipped = server.reason ?? (hasOpenssl() ? null : 'no openssl to make certificates with');

describe.skipIf(skipped !== null)(`TLS to PostgreSQL ${skipped ?? ''}`, () => {
  /** Which modes connect to a server whose certificate is for `name`, with it as root and without. */
  const connecting = (name: string, host: string) =>
    withTemporaryFolder(async (folder) => {
      const { key, certificate, certificatePath } = makeCertificate(folder, name);
      const { port, close } = await startTlsServer(new URL(server.url ?? ''), key, certificate);
      const answers: Record<string, boolean> = {};
      for (const ssl_mode of ['disable', 'prefer', 'require', 'verify-ca', 'verify-full']) {
        for (const root of ['', 'with root']) {
          const { config, credentials } = postgres.parseUrl(server.url ?? '');
          const connector = await postgres.connect({
            id: 'shop',
            config: {
              ...config,
              ...{ host, port, ssl_mode },
              ...(root ? { ssl_root_cert: certificatePath } : {}),
            },
            credentials,
          });
          answers[`${ssl_mode} ${root}`.trim()] = await connector.test().then(
            () => true,
            () => false,
          );
          await connector.close();
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

  it('does not take a certificate for localhost as one for an address', async () => {
    expect(await connecting('DNS:localhost', '127.0.0.1')).toEqual({
      ...whatever,
      'verify-full with root': false,
    });
  });

  it('takes a certificate for the address', async () => {
    expect(await connecting('IP:127.0.0.1', '127.0.0.1')).toEqual({
      ...whatever,
      'verify-full with root': true,
    });
  });
});

/** Answers PostgreSQL's request for TLS with yes and passes everything on to the real server. */
async function startTlsServer(target: URL, key: Buffer, certificate: Buffer) {
  const sockets = new Set<Socket>();
  const listener: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', (request) => {
      // SSLRequest is eight bytes long; a client that begins without it is turned away.
      if (request.length !== 8) return socket.destroy();
      socket.write('S');
      const secure = new TLSSocket(socket, { isServer: true, key, cert: certificate });
      const upstream = connectTcp(Number(target.port || 5432), target.hostname);
      for (const end of [secure, upstream]) end.on('error', () => upstream.destroy());
      secure.pipe(upstream).pipe(secure);
      return undefined;
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
