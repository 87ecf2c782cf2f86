import { type DoctorCheck, failedBy } from './check.js';
import { checkDatasources } from './check-datasources.js';
import { checkKeys, type KeyFiles } from './check-keys.js';
import { checkProject, checkServerFile } from './check-project.js';
import { checkServer, type ServerToCheck } from './check-server.js';
import { checkGit, checkNode } from './check-tools.js';

export interface ExamineInput {
  cwd: string;
  nodeVersion: string;
  cacheDirectory?: string;
  /** Where the keys are; `root` is the project's, or the working folder. */
  keys: (root: string) => KeyFiles;
  /** Reads the server's file; null where there is none. Throws what is wrong with it. */
  readServerFile: () => Promise<string | null>;
  /** Throws where the logins that are kept cannot be read. */
  server: () => Promise<ServerToCheck>;
  testDatasource: Parameters<typeof checkDatasources>[1];
}

/**
 * Looks at everything that vkit needs, all of it at once, and says of each thing what is wrong and how to mend it. Nothing is
 * changed, and no secret is in what is said.
 */
export async function examine(input: ExamineInput): Promise<DoctorCheck[]> {
  const project = await checkProject(input.cwd, input.cacheDirectory);
  const root = project.loaded?.project.root ?? input.cwd;
  const [git, keys, serverFile, server, datasources] = await Promise.all([
    checkGit(),
    checkKeys(input.keys(root)),
    checkServerFile(input.readServerFile),
    input.server().then(checkServer, (error: unknown) => [failedBy('server', error)]),
    checkDatasources(project.loaded?.project.datasources ?? [], input.testDatasource),
  ]);
  const node = checkNode(input.nodeVersion);
  return [node, git, ...keys, project.check, serverFile, ...server, ...datasources];
}
