import type { TestProject } from 'vitest/node';
import { build } from '../../scripts/build.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    /** Why dist/ could not be built, or an empty string; tests that start the command line fail. */
    buildError: string;
  }
}

/** Builds dist/ once, so that every test which starts the command line runs the present source. */
export default async function globalSetup(project: TestProject): Promise<void> {
  const failure = await build().then(
    () => '',
    (error: unknown) => String(error),
  );
  project.provide('buildError', failure);
}
