import { execFile } from 'node:child_process';
import { access, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import ts from 'typescript';
import { beforeAll, expect, inject, it, onTestFinished } from 'vitest';
import { build } from '../../scripts/build.mjs';
import { buildTypes } from '../../scripts/build-types.mjs';
import { packageRoot } from '../../src/util/package-root.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

beforeAll(() => {
  expect(inject('buildError')).toBe('');
  buildTypes();
});

it('the package that npm would publish holds together', async () => {
  const { messages, pkg } = await publint({ pkgDir: packageRoot(), strict: true });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

it('a build that cleans, as that of the demo, leaves the types of the package and nothing else of former builds', async () => {
  const dist = join(packageRoot(), 'dist');
  const former = join(dist, 'chunks', `former-${process.pid}.js`);
  await writeFile(former, '');
  await build({ clean: true });
  await expect(access(former)).rejects.toThrow('ENOENT');
  await access(join(dist, 'types', 'index.d.ts'));
});

/** What somebody writes who has installed the package. */
const PROGRAM = `
import { type RequestAnswer, type RowStream, VkitClient, VkitError } from 'vkit';

const [baseUrl = ''] = process.argv.slice(2);
const client = new VkitClient({ baseUrl, token: 'secret', org: 'acme', retries: 0 });
const answer: RequestAnswer = await client.submitRequest({
  aql: { source_table: 'customers', columns: ['id'] },
  purpose: 'support',
});
const decided = await client.waitForDecision(answer, { timeoutMs: 1_000 });
const status: 'granted' | 'pending_approval' | 'denied' = decided.status;
const rows: RowStream = await client.streamRows(decided.grant_ref ?? '', AbortSignal.timeout(5_000));
const ids: unknown[] = [];
for await (const row of rows) ids.push(row.id);
try {
  await client.withSignal(AbortSignal.timeout(5_000)).listDatasets({ environment: 'production' });
} catch (error) {
  const code: string = error instanceof VkitError ? error.code : 'other';
  console.log(JSON.stringify({ status, ids, code, masked: rows.maskedFields }));
}
// @ts-expect-error A request has a query.
const wrong: Parameters<VkitClient['submitRequest']>[0] = { purpose: 'support' };
void wrong;
`;

it('a program in strict TypeScript compiles against the package and runs with it', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'node_modules', '@types'), { recursive: true });
  await symlink(packageRoot(), join(folder, 'node_modules', 'vkit'));
  const types = join(packageRoot(), 'node_modules', '@types', 'node');
  await symlink(types, join(folder, 'node_modules', '@types', 'node'));
  await writeFile(join(folder, 'package.json'), '{"type": "module"}');
  const file = join(folder, 'program.ts');
  await writeFile(file, PROGRAM);
  const program = ts.createProgram([file], {
    strict: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    typeRoots: [join(folder, 'node_modules', '@types')],
    outDir: folder,
  });
  const { diagnostics } = program.emit();
  const problems = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  const said = problems.map(({ messageText }) =>
    ts.flattenDiagnosticMessageText(messageText, '\n'),
  );
  expect(said).toEqual([]);

  const server = createServer((request, response) => {
    if (request.url?.endsWith('/requests')) {
      response.end(
        '{"request_id": "req_1", "state": "approved", "status": "granted", "grant_ref": "gr_1"}',
      );
    } else if (request.url?.endsWith('/fetch')) {
      response.setHeader('x-vkit-masked-fields', 'email').end('{"id":1}\n{"id":2}\n');
    } else response.writeHead(403).end('{"error": "No.", "type": "forbidden"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'program.js'), url]);
  expect(JSON.parse(stdout)).toEqual({
    status: 'granted',
    ids: [1, 2],
    code: 'forbidden',
    masked: ['email'],
  });
});

it('the declarations name no package that has to be installed beside it', async () => {
  const text = await readFile(
    join(packageRoot(), 'dist', 'types', 'client', 'vkit-client.d.ts'),
    'utf8',
  );
  expect(text).not.toMatch(/from '(?!\.)/);
});
