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
import { type Project, type ProjectFile, readProject } from '../project/read-project.js';
import type { Registry, RegistryLock } from '../schema/model.js';
import { parseRegistryFiles } from '../schema/parse-registry-files.js';
import { parseRegistryLock } from '../schema/registry-lock.js';
import { buildId } from '../util/build-id.js';
import { lazily } from '../util/lazily.js';
import { maskSecrets } from '../util/mask-secrets.js';
import { openPolicyCache, type PolicyCache } from './policy-cache.js';

/** Where a project's parts are; relative to the root, the defaults are those of `PROJECT_PATHS`. */
export interface ProjectDirectories {
  policiesDir?: string;
  registryDir?: string;
  datasourcesDir?: string;
}

export interface LoadProjectOptions extends ProjectDirectories {
  /** Where what policies say may be kept from one run to the next; absent: nowhere. */
  cacheDirectory?: string;
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
  options: LoadProjectOptions = {},
): Promise<LoadedProject> {
  return settledRead(root, new Date(), () => readAll(root, options));
}

async function readAll(root: string, options: LoadProjectOptions): Promise<LoadedProject> {
  const { cacheDirectory, ...directories } = options;
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
  const parse = ({ text, path }: ProjectFile): ParsedPolicy =>
    parsePolicyFile(text, path, clearances === null ? {} : { clearances });
  const build = buildId();
  const cache =
    cacheDirectory === undefined || build === undefined
      ? undefined
      : await openPolicyCache({
          directory: cacheDirectory,
          root,
          build,
          clearances,
          policies: project.policyFiles.length,
        });
  for (const file of project.policyFiles) {
    const { path, text } = file;
    const parsed = parseOnce(file, parse, cache);
    problems.push(...parsed.problems);
    const { policy, draft, warnings, position } = parsed;
    if (policy !== null) policies.push({ policy, file: path, text, warnings, position });
    else if (draft !== null) drafts.push({ policy: draft, file: path, text, warnings, position });
  }
  await cache?.save();
  const registry = parseRegistryFiles({ main: project.registry, parts: project.registryParts });
  const lock =
    project.lock === null ? null : parseRegistryLock(project.lock.text, project.lock.path);
  problems.push(...registry.problems, ...(lock?.problems ?? []));
  return {
    project,
    directories: places,
    policies,
    drafts,
    registry: registry.registry,
    lock: lock?.lock ?? null,
    packs: await readPacksState(root),
    findings: problems.map((problem) => asFinding(problem, 'error')),
  };
}

/** What the cache knows of a text, or else what parsing says; only what has no problems is kept. */
function parseOnce(
  file: ProjectFile,
  parse: (file: ProjectFile) => ParsedPolicy,
  cache: PolicyCache | undefined,
): ParsedPolicy {
  const known = cache?.get(file.text);
  if (known !== undefined) {
    const warnings = known.warnings.map((warning) => ({ ...warning, file: file.path }));
    // Places are asked for where there is something to say, which is seldom.
    const parsed = lazily(() => parse(file));
    const { policy } = known;
    return {
      policy,
      draft: policy,
      problems: [],
      warnings,
      position: (pointer) => parsed().position(pointer),
    };
  }
  const parsed = parse(file);
  if (parsed.policy !== null && parsed.problems.length === 0) cache?.put(file.text, parsed);
  return parsed;
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
    // Either may quote a name, and a name may be a secret that was pasted into the wrong place.
    message: maskSecrets(message),
    ...(suggestion === undefined ? {} : { suggestion: maskSecrets(suggestion) }),
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
