import type { Socket } from 'node:net';
import type { Server } from './server-context.js';

/** Connections that have sent nothing yet, as clients open ahead of need: Node takes them for busy and waits for them. */
export function silentConnections({ server }: Pick<Server, 'server'>): ReadonlySet<Socket> {
  const silent = new Set<Socket>();
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  // Over TLS a request names another socket than the one that was opened: there all stay, and end once nothing is under way.
  server.on('request', ({ socket }) => silent.delete(socket));
  return silent;
}
