import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Workflows from '@actions/workflow-parser';
import type * as Actions from '@actions/workflow-parser/actions/action-parser';
import * as esbuild from 'esbuild';
import { packageRoot } from '../../src/util/package-root.js';
import { withTemporaryFolder } from './temporary-folder.js';

type Parser = typeof Workflows & typeof Actions;

/** GitHub's own parser of workflows and actions, with its schemas; bundled, since it imports JSON in a way that Node does not. */
async function loadParser(): Promise<Parser> {
  const { outputFiles } = await esbuild.build({
    stdin: {
      contents: `export * from '@actions/workflow-parser';
        export * from '@actions/workflow-parser/actions/action-parser';`,
      resolveDir: packageRoot(),
    },
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
    logLevel: 'silent',
  });
  return withTemporaryFolder(async (folder) => {
    const file = join(folder, 'parser.mjs');
    await writeFile(file, outputFiles[0]?.contents ?? '');
    return import(/* @vite-ignore */ pathToFileURL(file).href);
  });
}

let loaded: Promise<Parser> | undefined;

/** What GitHub's parser finds wrong with the text of a workflow, or of an action. */
export async function gitHubProblems(
  kind: 'workflow' | 'action',
  content: string,
): Promise<string[]> {
  loaded ??= loadParser();
  const { parseWorkflow, parseAction, NoOperationTraceWriter } = await loaded;
  const parse = kind === 'workflow' ? parseWorkflow : parseAction;
  const { context } = parse({ name: `${kind}.yml`, content }, new NoOperationTraceWriter());
  return context.errors.getErrors().map(({ message }) => message);
}
