import { spawn } from 'node:child_process';

/** The program that opens an address on each platform, and what it takes before it. None is a shell. */
const OPENERS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};
const OPENER = ['xdg-open'];

/**
 * Asks the system to open an address in the browser, without a shell, which would read `&` in it as a command's end. Whether
 * one opens is not known: whoever calls this also prints the address.
 */
export function openBrowser(url: URL, platform: NodeJS.Platform = process.platform): void {
  const [program = '', ...args] = OPENERS[platform] ?? OPENER;
  const child = spawn(program, [...args, url.href], {
    stdio: 'ignore',
    detached: true,
    shell: false,
  });
  // No such program: the address was printed.
  child.once('error', () => {});
  child.unref();
}
