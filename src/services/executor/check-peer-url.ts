import { VkitError } from '../../errors/index.js';
import { isLoopbackHost } from '../../util/outbound.js';

/**
 * Control plane and executors tell each other the passwords of datasources. Throws `config_invalid` for an address that is not
 * https, loopback and the hosts aside that the server's file allows (`clear_password_hosts`); `name` is where it was given.
 */
export function checkPeerUrl(url: string, name: string, allowed: readonly string[]): void {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (
    !parsed ||
    !/^https?:$/.test(parsed.protocol) ||
    parsed.username !== '' ||
    parsed.search !== ''
  )
    throw new VkitError('config_invalid', `${name} is not an address such as https://host:8080.`);
  const { protocol, hostname } = parsed;
  if (protocol === 'https:' || isLoopbackHost(hostname) || allowed.includes(hostname)) return;
  throw new VkitError(
    'config_invalid',
    `${name} must be https: passwords of datasources are sent there.`,
    {
      hint: 'Use https, or name the host under clear_password_hosts in vkit.server.yaml.',
    },
  );
}
