import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { atomicWrite } from '../util/atomic-write.js';
import type { CredentialSource } from './parse-datasource-file.js';

/** Changes where a datasource's file says its credentials are; the rest of it stays, comments too. The file was read without problems. */
export async function setCredentialSource(
  root: string,
  path: string,
  source: CredentialSource,
): Promise<void> {
  const absolute = join(root, path);
  const document = parseDocument(await readFile(absolute, 'utf8'));
  document.set('credentials', source);
  await atomicWrite(absolute, document.toString({ lineWidth: 0 }));
}
