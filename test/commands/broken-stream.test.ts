import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonOf, runCli } from '../helpers/run-cli.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

/** What a server has sent when its machine goes down: a beginning that looks like a whole. */
const BEGINNINGS: Record<string, string> = {
  'text/csv': 'id,email\r\n1,a\r\n',
  'application/x-ndjson': '{"id":1}\n{"id":2}\n',
  'application/json': '{"rows":[{"id":1}',
};

let server: Server;
let env: Record<string, string>;

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/api/v1/whoami') {
      response.setHeader('content-type', 'application/json').end('{"org": "default"}');
      return;
    }
    const accept = request.headers.accept ?? '';
    response.writeHead(200, { 'content-type': accept });
    response.write(BEGINNINGS[accept] ?? '');
    setTimeout(() => response.destroy(), 50);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  env = { VKIT_API_URL: `http://127.0.0.1:${port}`, VKIT_TOKEN: 'vks_x' };
});

afterAll(() => {
  server.close();
});

describe.each(['csv', 'ndjson', 'json'])('an answer in %s that breaks off', (format) => {
  it('is an error and leaves the file that was there', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'rows'), 'former');
    const args = ['fetch', '-g', 'gr_x', '--output', 'rows', '--format', format];
    for (const flags of format === 'json' ? [[]] : [[], ['--json']]) {
      const result = await runCli([...args, ...flags], { cwd, env });
      expect(result.code).toBe(7);
      expect(result.stdout + result.stderr).toContain('broke off');
      expect(await readdir(cwd)).toEqual(['rows']);
      expect(await readFile(join(cwd, 'rows'), 'utf8')).toBe('former');
    }
  });

  it('is an error on stdout', async () => {
    const result = await runCli(['fetch', '-g', 'gr_x', '--format', format], { env });
    expect(result.code).toBe(7);
    if (format !== 'json') return expect(result.stderr).toContain('broke off');
    expect(jsonOf(result)).toMatchObject({ error: { code: 'unavailable' } });
  });
});
