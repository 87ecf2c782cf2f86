import { readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { ENGINES } from '../engines/index.js';
import type { Problem } from '../errors/index.js';
import type { PacksState } from '../packs/model.js';
import { readPacksState } from '../packs/packs-state.js';
import { settledRead } from '../packs/settled-read.js';
import { type ParsedPolicy, parsePolicyFile } from '../policy/parse-policy.js';
import type { DraftFile, Finding, PolicyFile } from '../policy/validate-policies.js';
import { PROJECT_PATHS } from '../project/paths.js';
import { type Project, readProject } from '../project/read-project.js';
import type { Registry, RegistryLock } from '../schema/model.js';
import { parseRegistry } from '../schema/parse-registry.js';
import { parseRegistryLock } from '../schema/registry-lock.js';

/** Where a project's parts are; relative to the root, the defaults are those of `PROJECT_PATHS`. */
export interface ProjectDirectories {
  policiesDir?: string;
  registryDir?: string;
  datasourcesDir?: string;
}

/** A project with everything in it parsed. */
export interface LoadedProject {
  project: Project;
  directories: Required<ProjectDirectories>;
  policies: readonly PolicyFile[];
  /** What can be read of policies that have problems, so that all of it is checked at once. */
  drafts: readonly DraftFile[];
  registry: Registry;
  /** Null where no scan has written one. */
  lock: RegistryLock | null;
  packs: PacksState;
  /** What could not be read, as errors; what they name is missing above. */
  findings: readonly Finding[];
}

/**
 * Reads and parses a project, with whole packs only: what a killed command left of one is repaired first. Throws only for what
 * no person writes, `.vkit/packs.yaml` and its journal, and `lock_held` while another command changes packs; all else is a
 * finding.
 */
export async function loadProject(
  root: string,
  directories: ProjectDirectories = {},
): Promise<LoadedProject> {
  return settledRead(root, new Date(), () => readAll(root, directories));
}

async function readAll(root: string, directories: ProjectDirectories): Promise<LoadedProject> {
  const places = {
    policiesDir: inProject(root, directories.policiesDir ?? PROJECT_PATHS.policies),
    registryDir: inProject(root, directories.registryDir ?? PROJECT_PATHS.registryFolder),
    datasourcesDir: inProject(root, directories.datasourcesDir ?? PROJECT_PATHS.datasources),
  };
  const project = await readProject(root, { ...places, engineSchemas: engineSchemas() });
  const problems: Problem[] = [
    ...project.problems,
    ...(await strayPolicies(root, places.policiesDir)),
  ];
  const clearances = project.settings.clearances;
  const policies: PolicyFile[] = [];
  const drafts: DraftFile[] = [];
  for (const { path, text } of project.policyFiles) {
    const parsed: ParsedPolicy = parsePolicyFile(
      text,
      path,
      clearances === null ? {} : { clearances },
    );
    problems.push(...parsed.problems);
    const { policy, draft, warnings, position } = parsed;
    if (policy !== null) policies.push({ policy, file: path, text, warnings, position });
    else if (draft !== null) drafts.push({ policy: draft, file: path, text, warnings, position });
  }
  const registry =
    project.registry === null ? null : parseRegistry(project.registry.text, project.registry.path);
  const lock =
    project.lock === null ? null : parseRegistryLock(project.lock.text, project.lock.path);
  problems.push(...(registry?.problems ?? []), ...(lock?.problems ?? []));
  return {
    project,
    directories: places,
    policies,
    drafts,
    registry: registry?.registry ?? new Map(),
    lock: lock?.lock ?? null,
    packs: await readPacksState(root),
    findings: problems.map((problem) => asFinding(problem, 'error')),
  };
}

/** The JSON Schema of each engine's `config`, by name. */
export function engineSchemas(): Record<string, object> {
  return Object.fromEntries(
    Object.entries(ENGINES).map(([name, engine]) => [name, engine.configSchema]),
  );
}

/** A finding without a place is about the file as a whole, one without a file about the project. */
export function asFinding(problem: Problem, severity: Finding['severity']): Finding {
  const {
    file = PROJECT_PATHS.settings,
    line = 1,
    column = 1,
    code,
    message,
    suggestion,
  } = problem;
  return {
    severity,
    file,
    line,
    column,
    code,
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

/** A folder of policies that is not the one compiled would be believed to be in force. */
async function strayPolicies(root: string, policiesDir: string): Promise<Problem[]> {
  const candidates = ['policies', PROJECT_PATHS.policies].filter(
    (folder) => folder !== policiesDir,
  );
  const found = await Promise.all(
    candidates.map(async (folder) => {
      // A folder with nothing but a .gitkeep holds no policy that anybody could believe in.
      const names = await readdir(join(root, folder)).catch(() => []);
      return names.some((name) => !name.startsWith('.'));
    }),
  );
  return candidates
    .filter((_, index) => found[index])
    .map((folder) => ({
      file: folder,
      code: 'stray_policies',
      message: `The folder ${folder}/ holds policies that are not compiled; those of ${policiesDir}/ are.`,
      suggestion: `Move them to ${policiesDir}/, or name the folder with --policies-dir.`,
    }));
}

function inProject(root: string, path: string): string {
  return relative(root, resolve(root, path)).replaceAll('\\', '/') || '.';
}
