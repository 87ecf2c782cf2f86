import type { Socket } from 'node:net';
import type { Server } from './server-context.js';

/**
 * Ends, when the server closes, connections that have sent nothing yet, as clients open ahead of need: Node takes them for busy
 * and waits for them.
 */
export function endSilentConnections(server: Server): void {
  const silent = new Set<Socket>();
  server.server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.server.on('request', ({ socket }: { socket: Socket }) => silent.delete(socket));
  server.addHook('preClose', async () => {
    for (const socket of silent) socket.destroy();
  });
}
