import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { listenOnLoopback } from '../../src/cli/loopback-listener.js';
import { openBrowser } from '../../src/cli/open-browser.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

const PATH = process.env.PATH;
afterEach(() => {
  process.env.PATH = PATH;
});

describe('opening a browser', () => {
  it.each([
    ['linux', 'xdg-open', []],
    ['darwin', 'open', []],
    ['win32', 'rundll32', ['url.dll,FileProtocolHandler']],
  ] as const)(
    'on %s gives the address to %s as one word, and no shell reads it',
    async (platform, program, words) => {
      const folder = await temporaryFolder();
      const script = `#!/bin/sh\nprintf '%s\\n' "$@" > "${join(folder, 'words')}.part"\nmv "${join(folder, 'words')}.part" "${join(folder, 'words')}"\n`;
      await writeFile(join(folder, program), script);
      await chmod(join(folder, program), 0o755);
      process.env.PATH = `${folder}:${PATH}`;
      const url = new URL("https://vkit.example.com/a?b=1&c=$(touch x);'`id`");
      openBrowser(url, platform);
      await vi.waitFor(async () => {
        const text = await readFile(join(folder, 'words'), 'utf8');
        expect(text.trimEnd().split('\n')).toEqual([...words, url.href]);
      }, 5_000);
    },
  );

  it('that is not there does not fail', async () => {
    process.env.PATH = await temporaryFolder();
    openBrowser(new URL('https://vkit.example.com'));
    await new Promise((resolve) => setTimeout(resolve, 50));
  });
});

describe('the listener of a login', () => {
  const STATE = 's'.repeat(43);
  const forever = new AbortController().signal;

  it('takes the one answer with its state, and tells everything else nothing', async () => {
    const listener = await listenOnLoopback(STATE);
    try {
      const base = `http://127.0.0.1:${listener.port}`;
      const good = `${base}/callback?code=c&state=${STATE}`;
      const other = { method: 'POST', body: 'x' };
      const statuses = [
        (await fetch(`${base}/callback?code=c&state=${'t'.repeat(43)}`)).status,
        (await fetch(`${base}/callback?code=c`)).status,
        (await fetch(`${base}/?code=c&state=${STATE}`)).status,
        (await fetch(good, other)).status,
        // A name of somebody else that leads here.
        (await fetch(good.replace('127.0.0.1', 'localhost')).catch(() => ({ status: 404 }))).status,
      ];
      expect(statuses).toEqual([404, 404, 404, 404, 404]);
      expect((await fetch(good)).status).toBe(200);
      expect(await listener.code(1_000, forever)).toBe('c');
    } finally {
      listener.close();
    }
  });

  it('fails with what the browser brings, when nobody comes, and when it is interrupted', async () => {
    const refused = await listenOnLoopback(STATE);
    const query = `state=${STATE}&error=forbidden&message=${'x'.repeat(500)}`;
    await fetch(`http://127.0.0.1:${refused.port}/callback?${query}`);
    await expect(refused.code(1_000, forever)).rejects.toMatchObject({
      code: 'forbidden',
      message: 'x'.repeat(300),
    });
    refused.close();
    const alone = await listenOnLoopback(STATE);
    await expect(alone.code(10, forever)).rejects.toMatchObject({ code: 'unauthenticated' });
    alone.close();
    const stopped = await listenOnLoopback(STATE);
    const abort = new AbortController();
    const waiting = stopped.code(10_000, abort.signal);
    abort.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    stopped.close();
  });
});
