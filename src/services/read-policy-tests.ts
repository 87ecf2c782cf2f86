import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Problem, VkitError } from '../errors/index.js';
import { type PolicyTestFile, parsePolicyTestFile } from '../policy/policy-test-file.js';
import { PROJECT_PATHS } from '../project/paths.js';
import { readFolder } from '../project/read-project.js';
import { decodeUtf8 } from '../util/utf8.js';

const FILE_BYTES_MAX = 1_048_576;
const CASES_MAX = 20_000;
const PROBLEMS_MAX = 200;

export interface ReadPolicyTestsInput {
  /** Files and folders, relative to `cwd`; with none, config/tests of the project. */
  paths: readonly string[];
  cwd: string;
  /** Null where only paths are read. */
  root: string | null;
}

export interface ReadPolicyTests {
  files: readonly PolicyTestFile[];
  /** Of files that could not be read or parsed; theirs are missing above. */
  problems: readonly Problem[];
}

/**
 * Reads files of policy tests in the order of their paths. Throws `not_found` where there is none: a build that tests nothing
 * must not look like one that passes. Throws `limit_exceeded` for more than 20,000 cases.
 */
export async function readPolicyTests(input: ReadPolicyTestsInput): Promise<ReadPolicyTests> {
  const problems: Problem[] = [];
  const texts =
    input.paths.length === 0
      ? await readFolder(input.root ?? input.cwd, PROJECT_PATHS.tests, problems)
      : await readPaths(input.cwd, input.paths, problems);
  if (texts.length === 0 && problems.length === 0) throw noTests(input.paths);
  const files: PolicyTestFile[] = [];
  for (const { path, text } of texts) {
    const parsed = parsePolicyTestFile(text, path);
    problems.push(...parsed.problems);
    if (parsed.tests !== null) files.push(parsed.tests);
  }
  const cases = files.reduce((sum, file) => sum + file.cases.length, 0);
  if (cases > CASES_MAX) {
    throw new VkitError('limit_exceeded', `There are more than ${CASES_MAX} cases.`, {
      hint: 'Name some of the files: vkit policy test FILE …',
    });
  }
  return { files, problems };
}

/** All problems of test files as one error, `invalid_input`. */
export function invalidTests(problems: readonly Problem[]): VkitError {
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  return new VkitError('invalid_input', `The policy tests have ${count}; none was run.`, {
    hint: 'What such a file may hold: schemas/policy_tests.schema.json',
    details: { problems: problems.slice(0, PROBLEMS_MAX) },
  });
}

function noTests(paths: readonly string[]): VkitError {
  const where = paths.length === 0 ? `${PROJECT_PATHS.tests}/` : paths.join(', ');
  return new VkitError('not_found', `There are no policy tests in ${where}.`, {
    hint: `Write one, such as ${PROJECT_PATHS.tests}/agents.yaml: {name: agents get nothing, cases: [{given: {requester_role: ai_agent, dataset: customers, fields: [email]}, expect: {action: deny}}]}`,
  });
}

interface TestText {
  path: string;
  text: string;
}

async function readPaths(
  cwd: string,
  paths: readonly string[],
  problems: Problem[],
): Promise<TestText[]> {
  const texts = new Map<string, TestText>();
  for (const path of paths) {
    const absolute = resolve(cwd, path);
    const found = await stat(absolute).catch(() => null);
    if (found?.isDirectory()) {
      for (const file of await readFolder(absolute, '.', problems)) {
        texts.set(join(absolute, file.path), { path: join(path, file.path), text: file.text });
      }
    } else if (!found?.isFile()) {
      problems.push({ file: path, code: 'not_found', message: 'There is no such file.' });
    } else if (found.size > FILE_BYTES_MAX) {
      const message = `The file is larger than ${FILE_BYTES_MAX} bytes.`;
      problems.push({ file: path, code: 'limit_exceeded', message });
    } else {
      const text = await readText(absolute);
      if (text !== undefined) texts.set(absolute, { path, text });
      else problems.push({ file: path, code: 'not_utf8', message: 'This is not UTF-8 text.' });
    }
  }
  return [...texts.values()];
}

async function readText(file: string): Promise<string | undefined> {
  const bytes = await readFile(file).catch((cause) => {
    throw new VkitError('permission_denied', `The file ${file} cannot be read.`, { cause });
  });
  return decodeUtf8(bytes);
}
