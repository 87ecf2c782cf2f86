import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { build } from '../../scripts/build.mjs';
import { packageRoot } from '../../src/util/package-root.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Why dist/ could not be built, or an empty string; tests that start the command line fail. */
    buildError: string;
    /** oclif.manifest.json before this run built anything: the one that is committed. */
    manifestBefore: string;
  }
}

/** Builds dist/ once, so that every test which starts the command line runs the present source. */
export default async function globalSetup(project: TestProject): Promise<void> {
  const manifest = await readFile(join(packageRoot(), 'oclif.manifest.json'), 'utf8');
  const failure = await build().then(
    () => '',
    (error: unknown) => String(error),
  );
  project.provide('manifestBefore', manifest);
  project.provide('buildError', failure);
}
