import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { onTestFinished } from 'vitest';
import { makeCertificate } from './certificate.js';
import { temporaryFolder } from './temporary-folder.js';

export interface ConnectProxy {
  /** Variables with which a process goes through the proxy and trusts what is behind it. */
  environment: { HTTPS_PROXY: string; NODE_EXTRA_CA_CERTS: string };
  /** Where somebody wanted to go: `github.test:443`. */
  asked: string[];
}

/** A proxy (RFC 9110, CONNECT) behind which a host that no DNS knows is a server of this machine, with TLS in front of it. */
export async function connectProxy(host: string, targetUrl: string): Promise<ConnectProxy> {
  const { key, certificate, certificatePath } = makeCertificate(
    await temporaryFolder(),
    `DNS:${host}`,
  );
  const targetPort = Number(new URL(targetUrl).port);
  const tls = createTlsServer({ key, cert: certificate }, (socket) => {
    const target = connect(targetPort, '127.0.0.1');
    for (const end of [socket, target]) end.on('error', () => end.destroy()); // Either may go first.
    socket.pipe(target).pipe(socket);
  });
  const tlsPort = await listening(tls);
  const asked: string[] = [];
  const proxy = createHttpServer((_request, response) => response.writeHead(400).end());
  proxy.on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    const target = connect(tlsPort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(target).pipe(socket);
    });
    for (const end of [socket, target]) end.on('error', () => end.destroy());
  });
  const port = await listening(proxy);
  return {
    environment: {
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
      NODE_EXTRA_CA_CERTS: certificatePath,
    },
    asked,
  };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
