import { VkitError } from '../errors/index.js';
import { isLoopbackHost } from '../util/outbound.js';

/**
 * Throws `invalid_input` where a database's password would go to a server in clear: over http, to another machine. The server
 * itself sends it on with no less care.
 */
export function refuseClearServer(endpoint: string): void {
  const { protocol, hostname } = new URL(endpoint);
  if (protocol === 'https:' || isLoopbackHost(hostname)) return;
  throw new VkitError('invalid_input', `The password would go to ${endpoint} in clear.`, {
    hint: 'Give the server an address with https, or make a tunnel to it from this machine.',
  });
}
