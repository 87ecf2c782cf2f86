import type { Problem } from '../errors/index.js';
import { loadPackFiles, packNamesIn, shippedPacksDirectory } from '../packs/load-pack-files.js';
import type { Pack } from '../packs/model.js';
import { changedFiles } from '../packs/pack-status.js';
import { PACKS_STATE_PATH } from '../packs/packs-state.js';
import { readPack } from '../packs/read-pack.js';
import { type Finding, validatePolicies } from '../policy/validate-policies.js';
import { REGISTRY_FILE, REGISTRY_LOCK_FILE, REGISTRY_PARTS_FOLDER } from '../project/paths.js';
import { datasourceOfPart, placeOfDataset } from '../schema/parse-registry-files.js';
import { maskSecretsIn } from '../util/mask-secrets.js';
import {
  asFinding,
  type LoadedProject,
  type LoadProjectOptions,
  loadProject,
} from './load-project.js';

export interface ValidateProjectInput extends LoadProjectOptions {
  root: string;
  /** Warnings count as errors. */
  strict?: boolean;
}

export interface ValidationResult {
  valid: boolean;
  /** Sorted by file and place; `strict` has made the warnings errors. */
  findings: readonly Finding[];
  policies: number;
  datasets: number;
  datasources: number;
}

/** Checks all files of a project, each alone and with the others. Never throws for what a file says. */
export async function validateProject(input: ValidateProjectInput): Promise<ValidationResult> {
  const loaded = await loadProject(input.root, input);
  const found = await findingsOf(loaded);
  const findings =
    input.strict === true
      ? found.map((finding) => ({ ...finding, severity: 'error' as const }))
      : found;
  return {
    valid: findings.every(({ severity }) => severity !== 'error'),
    findings,
    policies: loaded.policies.length,
    datasets: loaded.registry.size,
    datasources: loaded.project.datasources.length,
  };
}

/** All findings on a project that was loaded. */
export async function findingsOf(loaded: LoadedProject): Promise<Finding[]> {
  const { project, policies, drafts, registry, packs } = loaded;
  const { datasources } = project;
  const roles = project.settings.roles;
  const bands = await bandsOf(loaded);
  const semantic = validatePolicies({
    policies,
    drafts,
    registry,
    datasources: datasources.map(({ id }) => id),
    ...(roles === null ? {} : { roles }),
    ...(project.settings.clearances && { clearances: project.settings.clearances }),
    // Policies may be written before the first datasource.
    ...(datasources.length > 0 && {
      environments: unique(datasources.map(({ environment }) => environment)),
      regions: unique(datasources.flatMap(({ region }) => region ?? [])),
    }),
    packs: bands,
  });
  const owned = new Set(Object.values(packs).flatMap(({ files }) => files.map(({ path }) => path)));
  const changed = await Promise.all(
    Object.values(packs).map(async (pack) =>
      packProblems(pack.name, await changedFiles(project.root, pack)),
    ),
  );
  const all = [
    ...loaded.findings,
    ...semantic.filter((finding) => !isPacksOwnName(finding, owned)).map(maskSecretsIn),
    ...strayDatasets(loaded).map((problem) => asFinding(problem, 'error')),
    ...unscanned(loaded).map((problem) => asFinding(problem, 'warning')),
    ...overlappingBands(bands).map((problem) => asFinding(problem, 'error')),
    ...changed.flat().map((problem) => asFinding(problem, 'warning')),
  ];
  return all.sort((a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column);
}

/** What a pack may name that a project has not, and may say for nothing where a project has it otherwise. */
const NAMES_OF_PACKS: ReadonlySet<string> = new Set([
  'unknown_category',
  'unknown_tag',
  'unknown_environment',
  'unknown_region',
  'never_matches',
  'always_overruled',
]);

/** A pack is written for any project: that this one has no card data, or no production, is nothing to mend. */
function isPacksOwnName({ code, file, severity }: Finding, owned: ReadonlySet<string>): boolean {
  return severity === 'warning' && NAMES_OF_PACKS.has(code) && owned.has(file);
}

/** The code of the error that some findings amount to, by the files they are in. */
export function errorCodeOf(
  errors: readonly Finding[],
): 'invalid_registry' | 'invalid_policy' | 'config_invalid' {
  const ofRegistry = errors.every(
    ({ file }) =>
      file.endsWith(REGISTRY_FILE) ||
      file.endsWith(REGISTRY_LOCK_FILE) ||
      file.split('/').at(-2) === REGISTRY_PARTS_FOLDER,
  );
  if (ofRegistry) return 'invalid_registry';
  const ofPolicies = errors.every(({ file }) => /(^|\/)policies\//.test(file));
  return ofPolicies ? 'invalid_policy' : 'config_invalid';
}

/** The packs that ship with this vkit, read and checked. */
export async function shippedPacks(clearances: readonly string[] | null = null): Promise<Pack[]> {
  const names = await packNamesIn(shippedPacksDirectory());
  return Promise.all(
    names.map(async (name) =>
      readPack(await loadPackFiles(name, '.'), clearances === null ? {} : { clearances }),
    ),
  );
}

interface PackBand {
  name: string;
  band: { min: number; max: number };
  policyIds: string[];
}

/** As it was recorded when the pack was installed; a state file of before says it by the shipped pack of that version. */
async function bandsOf({ packs }: LoadedProject): Promise<PackBand[]> {
  const installed = Object.values(packs);
  const shipped = installed.some((pack) => pack.priority_band === undefined)
    ? await shippedPacks()
    : [];
  return installed.flatMap(({ name, version, priority_band: recorded, files }) => {
    const same = shipped.find(
      ({ metadata }) => metadata.name === name && metadata.version === version,
    );
    const band = recorded ?? same?.metadata.priority_band;
    if (band === undefined) return [];
    return [{ name, band, policyIds: files.map((file) => file.policy_id) }];
  });
}

/** Whose policies are reported first would not be for the packs to say. */
function overlappingBands(bands: readonly PackBand[]): Problem[] {
  return bands.flatMap((one, index) =>
    bands
      .slice(index + 1)
      .filter(({ band }) => band.min <= one.band.max && one.band.min <= band.max)
      .map((other) => ({
        file: PACKS_STATE_PATH,
        code: 'bands_overlap',
        message: `The packs ${one.name} (${rangeOf(one)}) and ${other.name} (${rangeOf(other)}) use the same priorities.`,
        suggestion: 'Remove one of them, or install a version with another band.',
      })),
  );
}

function rangeOf({ band: { min, max } }: PackBand): string {
  return `${min} to ${max}`;
}

function packProblems(
  name: string,
  { modified, missing }: { modified: string[]; missing: string[] },
): Problem[] {
  const bringBack = `Bring it back: vkit policy pack upgrade ${name} --force`;
  const restore = `Move the change to a policy of your own, then restore the pack: vkit policy pack upgrade ${name} --force`;
  return [
    ...modified.map((file) => ({
      file,
      code: 'pack_file_modified',
      message: `The file of the pack ${name} was changed by hand.`,
      suggestion: restore,
    })),
    ...missing.map((file) => ({
      file,
      code: 'pack_file_missing',
      message: `The file of the pack ${name} is gone.`,
      suggestion: bringBack,
    })),
  ];
}

function strayDatasets({ project, registry }: LoadedProject): Problem[] {
  const known = new Set(project.datasources.map(({ id }) => id));
  return [...registry]
    .filter(([, { datasource }]) => !known.has(datasource))
    .map(([name, { datasource }]) => ({
      ...placeInRegistry(project, name, datasource),
      code: 'unknown_datasource',
      message: `The dataset "${name}" is in the datasource "${datasource}", which has no file.`,
      suggestion: `Add it with \`vkit datasource add ${datasource}\`.`,
    }));
}

/** What the lock does not know is left out of bundles, and so denied. */
function unscanned({ project, registry, lock }: LoadedProject): Problem[] {
  const file = project.registry?.path ?? 'config/registry.yaml';
  if (registry.size > 0 && lock === null) {
    const message = 'There is no registry.lock.json: the server can compare names and types only.';
    return [{ file, code: 'lock_missing', message, suggestion: 'Run `vkit scan --all --apply`.' }];
  }
  return [...registry].flatMap(([name, { datasource, fields, gone }]) => {
    const locked =
      lock !== null && Object.hasOwn(lock.datasets, name) ? lock.datasets[name] : undefined;
    const absent = [...fields].filter(
      ([field]) => locked === undefined || !Object.hasOwn(locked.fields, field),
    );
    if (absent.length === 0 && locked !== undefined) return [];
    const place = placeInRegistry(project, name, datasource);
    const say = (what: string, code: 'gone' | 'not_scanned'): Problem => ({
      ...place,
      code,
      message: `${what} ${code === 'gone' ? 'is gone from the database' : 'was not seen by the last scan'}, and is left out of bundles.`,
      suggestion:
        code === 'gone'
          ? 'Its entry keeps what people said of it, should it come back; delete it if it will not.'
          : `Run \`vkit scan ${datasource} --apply\`.`,
    });
    if (locked === undefined) return [say(`The dataset "${name}"`, gone ? 'gone' : 'not_scanned')];
    return (['gone', 'not_scanned'] as const).flatMap((code) => {
      const those = absent.filter(([, field]) => (code === 'gone') === (field.gone === true));
      const names = those.map(([field]) => field).join(', ');
      return names === '' ? [] : [say(`${names} of "${name}"`, code)];
    });
  });
}

/** Where a dataset begins: in the file of its datasource, or in the one of all. */
function placeInRegistry(
  { registry, registryParts }: LoadedProject['project'],
  dataset: string,
  datasource: string,
): { file: string; line: number; column: number } {
  const part = registryParts.find(({ path }) => datasourceOfPart(path) === datasource);
  const inPart = part && placeOfDataset(part.text, dataset);
  if (part && inPart) return { file: part.path, ...inPart };
  const place = placeOfDataset(registry?.text ?? '', dataset);
  return { file: registry?.path ?? 'config/registry.yaml', ...(place ?? { line: 1, column: 1 }) };
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
