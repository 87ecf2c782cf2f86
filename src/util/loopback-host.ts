import { isIPv4 } from 'node:net';

/** Whether the host of a URL, as `URL` writes it, is this machine itself. */
export function isLoopbackHost(hostname: string): boolean {
  // A URL writes every form of an IPv4 address as four numbers.
  return (
    /^(localhost|\[::1\])$/i.test(hostname) || (isIPv4(hostname) && hostname.startsWith('127.'))
  );
}
