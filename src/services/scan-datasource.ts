import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Connector, ScanOptions } from '../engines/contract.js';
import { tableFilter } from '../engines/table-filter.js';
import { type Problem, VkitError } from '../errors/index.js';
import { repairPacks } from '../packs/journal.js';
import { parsePolicyFile } from '../policy/parse-policy.js';
import { findProject } from '../project/find-project.js';
import { type Datasource, toBundleDatasource } from '../project/parse-datasource-file.js';
import { joinPath, PROJECT_PATHS, registryPaths } from '../project/paths.js';
import { type Project, type ProjectFile, readProject } from '../project/read-project.js';
import { writeTogether } from '../project/write-project.js';
import {
  type Classifier,
  classifyField,
  createClassifier,
} from '../schema/classification/index.js';
import { type DriftFinding, withPolicyEffects } from '../schema/drift.js';
import type { ScanReport } from '../schema/drift-report.js';
import { identityText } from '../schema/match-tables.js';
import { type MergeScanInput, type MergeScanResult, mergeScan } from '../schema/merge-scan.js';
import type { Registry, RegistryLock, ScannedSchema } from '../schema/model.js';
import type { ParsedRegistry } from '../schema/parse-registry.js';
import { datasourceOfPart, parseRegistryFiles } from '../schema/parse-registry-files.js';
import {
  emptyRegistryLock,
  parseRegistryLock,
  printRegistryLock,
} from '../schema/registry-lock.js';
import { rereadLock, splitLock } from '../schema/reread-lock.js';
import { type DriftPolicies, withRoleEffects } from './drift-effects.js';
import {
  type DatasourceContext,
  engineSchemasOf,
  findDatasource,
  openDatasource,
} from './open-datasource.js';
import { policyView } from './policy-view.js';
import { refuseSample, type SampledTables, sampleTables } from './sample-tables.js';
import { suggestPolicies } from './suggest-policies.js';

/** Where the catalog of one datasource is read. */
export interface ScanSource {
  introspect(
    scope: Pick<ScanOptions, 'include' | 'exclude' | 'withDefinitions'>,
  ): Promise<ScannedSchema>;
  /** For the values of a sample, and for definitions; null where nobody but the server can read them. */
  connector: Connector | null;
  close(): Promise<void>;
}

/** Opens it; relative paths of a datasource's files start at the project's root. */
export type OpenScanSource = (datasource: Datasource, root: string) => Promise<ScanSource>;

export interface ScanDatasourceInput extends DatasourceContext {
  /** Anywhere in the project. */
  cwd: string;
  id: string;
  /** Absent: from this machine, with the datasource's own login. */
  openSource?: OpenScanSource;
  /** The datasource itself, where the project has no file of it: then a folder that is no project yet will do. */
  datasource?: Datasource;
  /** Whether the baseline is updated; otherwise nothing is written. */
  apply: boolean;
  /** Default: the shipped rules, and before them those of `config/classifiers.yaml`. */
  classify?: Classifier;
  /** Rows of each table whose values are looked at; absent: none, and no row is read. */
  sample?: number;
  /** Whether the lock records the texts of defaults, comments and views, and not digests alone. */
  withDefinitions?: boolean;
  /** Milliseconds, of any origin. */
  now: () => number;
  registryDir?: string;
  datasourcesDir?: string;
  policiesDir?: string;
}

export interface ScanOutcome {
  report: ScanReport;
  /** `registry.yaml` as it was proposed, or written. */
  registryText: string;
  /** The files of the baseline that hold this datasource, as they were proposed, or written. */
  registryFiles: readonly ProjectFile[];
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
  const readFiles = (before?: Project) =>
    readProject(root, {
      engineSchemas: engineSchemasOf(input.engines),
      ...(before === undefined ? {} : { before }),
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
  const reviewed = readRegistry(before, input);
  const classify = input.classify ?? classifierOf(before);
  const { include, exclude } = datasource;
  const scope = {
    ...(include === undefined ? {} : { include }),
    ...(exclude === undefined ? {} : { exclude }),
  };
  const { sample: rows, withDefinitions = false } = input;
  const engine = input.engines[datasource.engine];
  if (rows !== undefined && engine !== undefined) refuseSample(engine);
  const source = await (input.openSource ?? openHere(input))(datasource, root);
  const covers = tableFilter(scope);
  const mergeWith = (
    project: Project,
    registry: Registry,
    found: Pick<MergeScanInput, 'scanned' | 'countsOf'>,
  ) => {
    const files = textsOf(project, input);
    return mergeScan({
      registryText: files.registry.text,
      partText: files.part?.text ?? null,
      registry,
      lock: readLock(project, found.scanned, input),
      datasource: datasource.id,
      classify,
      inScope: ({ schema, name }) => covers(schema, name),
      ...found,
    });
  };
  const { scanned, sampled } = await (async () => {
    const { connector } = source;
    if (rows !== undefined && connector === null) throw notSampled(datasource.id);
    if (withDefinitions && connector === null) throw notDefined(datasource.id);
    const reading = source.introspect({ ...scope, withDefinitions });
    // Making the rules ready takes a while, in which the database works.
    if (input.classify === undefined) classify({ dataset: '', name: '', type: 'text' });
    const found = await reading;
    if (rows === undefined || engine === undefined || connector === null)
      return { scanned: found, sampled: null };
    const { drift, lock } = mergeWith(before, reviewed.registry, { scanned: found });
    const columns = newColumns(found, drift, lock);
    const { dialect } = engine;
    const { now } = input;
    return {
      scanned: found,
      sampled: await sampleTables({ connector, dialect, rows, columns, now }),
    };
  })().finally(() => source.close());
  return inTurn(root, async () => {
    const project = await readFiles(before);
    // Files that were not touched are the very same objects.
    const [former, present] = [filesOf(before), filesOf(project)];
    const isSame =
      former.length === present.length && former.every((file, index) => file === present[index]);
    const { registry } = isSame ? reviewed : readRegistry(project, input);
    const files = textsOf(project, input);
    const merged = mergeWith(project, registry, {
      scanned,
      ...(sampled === null ? {} : { countsOf: sampled.countsOf }),
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
    const proposed = [
      // The lock comes last: without its registry it opens nothing, and a next scan mends it.
      ...(merged.partText === null ? [] : [{ ...files.partPlace, text: merged.partText }]),
      { path: files.registry.path, text: merged.registryText },
    ];
    const unlocked = project.lock === null && registryHas(merged);
    const all = [...proposed, { path: files.lockPath, text: lockText }];
    const texts = new Map(present.map((file) => [file.path, file.text]));
    const [main = { path: files.registry.path, text: '' }] = proposed.slice(-1);
    // What is moved stands in both files for a moment, and is the same in both: a scan that is killed then leaves no doubt.
    const first =
      merged.movedText === null ? [] : [{ ...files.partPlace, text: merged.movedText }, main];
    const differing = [
      ...first,
      ...all.filter((file) => texts.get(file.path) !== file.text && !first.includes(file)),
    ];
    const changed =
      proposed.some(({ path, text }) => (texts.get(path) ?? '') !== text) ||
      lockText !== (project.lock?.text ?? lockText);
    const written =
      input.apply && (changed || unlocked) ? await write(root, project, differing, input) : [];
    return {
      report: {
        ...reportOf(datasource.id, scanned, merged),
        durationMs: Math.max(0, input.now() - started),
        drift,
        suggestions: suggestPolicies(drift, decided),
        applied: input.apply,
        ...(sampled === null || rows === undefined ? {} : { sample: sampleOf(rows, sampled) }),
      },
      registryText: merged.registryText,
      registryFiles: proposed,
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
export function openHere(context: DatasourceContext): OpenScanSource {
  return async (datasource, root) => {
    const connector = await openDatasource(root, datasource, context);
    return {
      introspect: (scope) => connector.introspect(scope),
      connector,
      close: () => connector.close(),
    };
  };
}

function notSampled(id: string): VkitError {
  return new VkitError('unsupported', `The server hands out no values of "${id}" for a sample.`, {
    hint: `Without --sample it reads the catalog: vkit scan ${id}`,
  });
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

function notDefined(id: string): VkitError {
  return new VkitError('unsupported', `The server hands out no definitions of "${id}".`, {
    hint: `Without --with-definitions it tells their digests: vkit scan ${id}`,
  });
}

/** The columns that nobody has reviewed yet, by their tables. */
function newColumns({ tables }: ScannedSchema, drift: readonly DriftFinding[], lock: RegistryLock) {
  const added = new Map<string, Set<string>>();
  for (const { kind, dataset, field } of drift) {
    const table = lock.datasets[dataset]?.table;
    if (kind !== 'field_added' || field === undefined || table === undefined) continue;
    const place = identityText(table);
    added.set(place, (added.get(place) ?? new Set()).add(field));
  }
  return tables.flatMap((table) => {
    const names = added.get(identityText(table.table));
    if (names === undefined) return [];
    return [{ table, columns: table.columns.filter(({ name }) => names.has(name)) }];
  });
}

function sampleOf(rows: number, { tables, failed }: SampledTables): ScanReport['sample'] {
  return {
    rows,
    tables,
    failed: failed.map(({ table: { schema, name }, code }) => ({
      table: schema === '' ? name : `${schema}.${name}`,
      code,
    })),
  };
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
  options: Pick<ScanDatasourceInput, 'registryDir'>,
): { registry: Registry; lock: RegistryLock } {
  const { registry } = readRegistry(project, options);
  const { lock: file } = project;
  if (file === null) return { registry, lock: emptyRegistryLock() };
  const { lock, problems } = parseRegistryLock(file.text, file.path);
  refuseProblems(problems);
  return { registry, lock };
}

/** Throws `config_invalid` for a file with problems: without its rules, columns would be left open. */
function classifierOf({ classifiers: { rules, off }, problems }: Project): Classifier {
  const wrong = problems.filter(({ file }) => file === PROJECT_PATHS.classifiers);
  if (wrong.length > 0) {
    throw new VkitError('config_invalid', `${PROJECT_PATHS.classifiers} has problems.`, {
      hint: 'Correct what is listed, and scan again.',
      details: { problems: wrong },
    });
  }
  return rules.length + off.length === 0 ? classifyField : createClassifier(rules, off);
}

/** The files of the baseline that are there. */
function filesOf({ registry, registryParts, lock }: Project): ProjectFile[] {
  return [registry, ...registryParts, lock].filter((file) => file !== null);
}

function registryHas({ registryText, partText }: MergeScanResult): boolean {
  return registryText !== '' || partText !== null;
}

/** The files that a scan of the datasource may change. */
function textsOf(
  project: Project,
  { id, registryDir }: Pick<ScanDatasourceInput, 'id' | 'registryDir'>,
) {
  const [registryPath = '', partsPath = '', lockPath = ''] = registryPaths(registryDir);
  const part = project.registryParts.find(({ path }) => datasourceOfPart(path) === id);
  return {
    registry: project.registry ?? { path: registryPath, text: '' },
    part,
    partPlace: { path: part?.path ?? joinPath(partsPath, `${id}.yaml`) },
    lockPath,
  };
}

/** Reads the registry; of the lock, only that it has the form of one, which is read when it is known what there is. */
function readRegistry(
  project: Project,
  input: Pick<ScanDatasourceInput, 'registryDir'>,
): ParsedRegistry {
  const { registry: main, registryParts: parts, lock } = project;
  const parsed = parseRegistryFiles({ main, parts });
  const locked =
    lock === null || splitLock(lock.text) !== null
      ? { problems: [] }
      : parseRegistryLock(lock.text, lock.path);
  const paths = registryPaths(input.registryDir);
  const unread = project.problems.filter(({ file = '' }) =>
    paths.some((path) => file === path || file.startsWith(`${path}/`)),
  );
  refuseProblems([...unread, ...parsed.problems, ...locked.problems]);
  return parsed;
}

function readLock(
  { lock }: Project,
  { tables }: ScannedSchema,
  { id }: Pick<ScanDatasourceInput, 'id'>,
): RegistryLock {
  if (lock === null) return emptyRegistryLock();
  const parsed = rereadLock(lock.text, lock.path, { tables, datasource: id });
  refuseProblems(parsed.problems);
  return parsed.lock;
}

function refuseProblems(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  throw new VkitError(
    'invalid_registry',
    'The registry has problems, so nothing can be compared with it.',
    { hint: 'Correct what is listed, and scan again.', details: { problems } },
  );
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

/** All files or none: a process that is killed meanwhile leaves a registry that is ahead of its lock, which the next scan mends. */
async function write(
  root: string,
  before: Project,
  files: readonly ProjectFile[],
  { registryDir, ...input }: ScanDatasourceInput,
): Promise<string[]> {
  const now = await readProject(root, {
    engineSchemas: engineSchemasOf(input.engines),
    ...(registryDir === undefined ? {} : { registryDir }),
  });
  const [former, present] = [filesOf(before), filesOf(now)];
  const isSame = former.every(
    ({ path, text }, index) => present[index]?.path === path && present[index]?.text === text,
  );
  if (!isSame || former.length !== present.length) {
    throw new VkitError('conflict', 'The registry was changed while the scan was running.', {
      hint: `Scan again: vkit scan ${input.id} --apply`,
    });
  }
  return [...new Set(await writeTogether(root, files, former))];
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
