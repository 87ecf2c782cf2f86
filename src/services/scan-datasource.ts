import { realpath, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ScanOptions } from '../engines/contract.js';
import { tableFilter } from '../engines/table-filter.js';
import { type Problem, VkitError } from '../errors/index.js';
import { repairPacks } from '../packs/journal.js';
import { parsePolicyFile } from '../policy/parse-policy.js';
import { findProject } from '../project/find-project.js';
import { type Datasource, toBundleDatasource } from '../project/parse-datasource-file.js';
import { PROJECT_PATHS, REGISTRY_FILE, REGISTRY_LOCK_FILE } from '../project/paths.js';
import { type Project, readProject } from '../project/read-project.js';
import { writeProjectFile, writeRegistry } from '../project/write-project.js';
import type { Classifier } from '../schema/classification/classification.js';
import { withPolicyEffects } from '../schema/drift.js';
import type { ScanReport } from '../schema/drift-report.js';
import { type MergeScanResult, mergeScan } from '../schema/merge-scan.js';
import type { Registry, RegistryLock, ScannedSchema } from '../schema/model.js';
import { parseRegistry } from '../schema/parse-registry.js';
import {
  emptyRegistryLock,
  parseRegistryLock,
  printRegistryLock,
} from '../schema/registry-lock.js';
import { type DriftPolicies, withRoleEffects } from './drift-effects.js';
import {
  type DatasourceContext,
  engineSchemasOf,
  findDatasource,
  openDatasource,
} from './open-datasource.js';
import { policyView } from './policy-view.js';
import { suggestPolicies } from './suggest-policies.js';

/** Reads the catalog of a datasource; relative paths of its files start at the project's root. */
export type Introspect = (
  datasource: Datasource,
  scope: Pick<ScanOptions, 'include' | 'exclude'>,
  root: string,
) => Promise<ScannedSchema>;

export interface ScanDatasourceInput extends DatasourceContext {
  /** Anywhere in the project. */
  cwd: string;
  id: string;
  /** Absent: from this machine, with the datasource's own login. */
  introspect?: Introspect;
  /** The datasource itself, where the project has no file of it: then a folder that is no project yet will do. */
  datasource?: Datasource;
  /** Whether the baseline is updated; otherwise nothing is written. */
  apply: boolean;
  classify: Classifier;
  /** Milliseconds, of any origin. */
  now: () => number;
  registryDir?: string;
  datasourcesDir?: string;
  policiesDir?: string;
}

export interface ScanOutcome {
  report: ScanReport;
  /** The registry as it was proposed, or written. */
  registryText: string;
  lockText: string;
  /** Whether the proposal differs from the files, in either of them. */
  changed: boolean;
  /** Paths that were written, relative to the root. */
  written: readonly string[];
  root: string;
  /** Policy files that could not be read, so that their effects are missing from the report. */
  policyProblems: readonly Problem[];
  /** How many policies the project has. */
  policies: number;
}

/**
 * Reads what a database really has, compares it with the baseline, and with `apply` writes the next one: registry and
 * lock, both or neither. Throws what is wrong with the datasource's file, `invalid_registry` with every problem of the
 * baseline, the connector's errors where the database cannot be read, and `conflict` where somebody else changed the
 * baseline meanwhile.
 */
export async function scanDatasource(input: ScanDatasourceInput): Promise<ScanOutcome> {
  const root = await rootOf(input);
  const readFiles = () =>
    readProject(root, {
      engineSchemas: engineSchemasOf(input.engines),
      ...(input.registryDir === undefined ? {} : { registryDir: input.registryDir }),
      ...(input.datasourcesDir === undefined ? {} : { datasourcesDir: input.datasourcesDir }),
      ...(input.policiesDir === undefined ? {} : { policiesDir: input.policiesDir }),
    });
  const started = input.now();
  // The report says what the policies make of each field: no half of a pack may have a say in it.
  await repairPacks(root, new Date());
  const before = await readFiles();
  const datasource = input.datasource ?? findDatasource(before, input.id);
  // What cannot be merged is said before a database is asked for anything.
  readBaseline(before, input);
  const { include, exclude } = datasource;
  const scope = {
    ...(include === undefined ? {} : { include }),
    ...(exclude === undefined ? {} : { exclude }),
  };
  const scanned = await (input.introspect ?? introspectFrom(input))(datasource, scope, root);
  const covers = tableFilter(scope);
  return inTurn(root, async () => {
    const project = await readFiles();
    const baseline = readBaseline(project, input);
    const merged = mergeScan({
      ...baseline,
      scanned,
      datasource: datasource.id,
      classify: input.classify,
      inScope: ({ schema, name }) => covers(schema, name),
    });
    const lockText = printRegistryLock(merged.lock);
    const { policies, policyProblems } = readPolicies(project);
    const { default_action: defaultAction, clearances, roles } = project.settings;
    const decided: DriftPolicies = {
      ...{ policies, defaultAction, clearances, roles },
      datasource: toBundleDatasource(datasource),
      at: Date.now(),
    };
    const drift = withRoleEffects(withPolicyEffects(merged.drift, policyView(policies)), decided);
    const changed =
      merged.registryText !== baseline.registryText ||
      lockText !== (project.lock?.text ?? lockText);
    const unlocked = project.lock === null && merged.registryText !== '';
    const written =
      input.apply && (changed || unlocked)
        ? await writeBoth(root, project, { registry: merged.registryText, lock: lockText }, input)
        : [];
    return {
      report: {
        ...reportOf(datasource.id, scanned, merged),
        durationMs: Math.max(0, input.now() - started),
        drift,
        suggestions: suggestPolicies(drift, decided),
        applied: input.apply,
      },
      registryText: merged.registryText,
      lockText,
      changed: changed || unlocked,
      written,
      root,
      policyProblems,
      policies: policies.length,
    };
  });
}

/** The scan of a machine that reaches the database by itself. */
export function introspectFrom(context: DatasourceContext): Introspect {
  return async (datasource, scope, root) => {
    const connector = await openDatasource(root, datasource, context);
    return connector.introspect(scope).finally(() => connector.close());
  };
}

async function rootOf({ cwd, datasource }: ScanDatasourceInput): Promise<string> {
  try {
    return (await findProject(cwd)).root;
  } catch (error) {
    const isNone = error instanceof VkitError && error.code === 'project_not_found';
    if (!isNone || datasource === undefined) throw error;
    return realpath(resolve(cwd));
  }
}

function reportOf(datasource: string, scanned: ScannedSchema, { leftOut }: MergeScanResult) {
  return {
    datasource,
    server: scanned.server,
    tables: scanned.tables.length,
    fields: scanned.tables.reduce((sum, { columns }) => sum + columns.length, 0),
    leftOut,
    login: scanned.login ?? null,
  };
}

/** The registry and the lock of a project. Throws `invalid_registry` with every problem of either. */
export function readBaseline(
  project: Project,
  { registryDir = PROJECT_PATHS.registryFolder }: Pick<ScanDatasourceInput, 'registryDir'>,
): { registryText: string; registry: Registry; lock: RegistryLock } {
  const registryText = project.registry?.text ?? '';
  const parsed = parseRegistry(registryText, project.registry?.path ?? REGISTRY_FILE);
  const locked =
    project.lock === null
      ? { lock: emptyRegistryLock(), problems: [] }
      : parseRegistryLock(project.lock.text, project.lock.path);
  const paths = [REGISTRY_FILE, REGISTRY_LOCK_FILE].map((name) => `${registryDir}/${name}`);
  const unread = project.problems.filter(({ file = '' }) => paths.includes(file));
  const problems = [...unread, ...parsed.problems, ...locked.problems];
  if (problems.length > 0) {
    throw new VkitError(
      'invalid_registry',
      'The registry has problems, so nothing can be compared with it.',
      {
        hint: 'Correct what is listed, and scan again.',
        details: { problems },
      },
    );
  }
  return { registryText, registry: parsed.registry, lock: locked.lock };
}

function readPolicies({ policyFiles, settings }: Project) {
  const { clearances } = settings;
  const parsed = policyFiles.map(({ text, path }) =>
    parsePolicyFile(text, path, clearances === null ? {} : { clearances }),
  );
  return {
    policies: parsed.flatMap(({ policy }) => (policy === null ? [] : [policy])),
    policyProblems: parsed.flatMap(({ problems }) => problems),
  };
}

/**
 * Both files or neither: where the second cannot be written, the first gets its old content back. A process that is
 * killed between them leaves a registry that is ahead of its lock, which the next scan mends without losing a tag.
 */
async function writeBoth(
  root: string,
  before: Project,
  texts: { registry: string; lock: string },
  { registryDir = PROJECT_PATHS.registryFolder, ...input }: ScanDatasourceInput,
): Promise<string[]> {
  const now = await readProject(root, {
    engineSchemas: engineSchemasOf(input.engines),
    registryDir,
  });
  if (now.registry?.text !== before.registry?.text || now.lock?.text !== before.lock?.text) {
    throw new VkitError('conflict', 'The registry was changed while the scan was running.', {
      hint: `Scan again: vkit scan ${input.id} --apply`,
    });
  }
  try {
    return await writeRegistry(root, texts, registryDir);
  } catch (error) {
    const path = `${registryDir}/${REGISTRY_FILE}`;
    const restored =
      before.registry === null
        ? rm(join(root, path), { force: true })
        : writeProjectFile(root, path, before.registry.text);
    // The first error is the one that matters; what cannot be restored, the next scan mends.
    await restored.catch(() => undefined);
    throw error;
  }
}

const turns = new Map<string, Promise<unknown>>();

/** Scans of one project may read their databases at the same time; they merge one after the other. */
async function inTurn<T>(root: string, merge: () => Promise<T>): Promise<T> {
  const previous = turns.get(root) ?? Promise.resolve();
  // The failure of one scan is its own caller's to report.
  const mine = previous.catch(() => undefined).then(merge);
  turns.set(root, mine);
  try {
    return await mine;
  } finally {
    if (turns.get(root) === mine) turns.delete(root);
  }
}
