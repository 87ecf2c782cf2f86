import { createHash } from 'node:crypto';
import semver from 'semver';
import schema from '../../schemas/pack_metadata.schema.json' with { type: 'json' };
import { type Problem, VkitError } from '../errors/index.js';
import { parsePolicyFile } from '../policy/parse-policy.js';
import { checkSchema } from '../util/check-schema.js';
import { readYaml } from '../util/read-yaml.js';
import { decodeUtf8 } from '../util/utf8.js';
import { parseDependency } from './dependency.js';
import type { Pack, PackFiles, PackMetadata, PackPolicy } from './model.js';

const METADATA = 'metadata.yaml';
const POLICY_FILE = /^policies\/([0-9]{2})_([a-z][a-z0-9_]*)\.yaml$/;

/** With the pack's name in front and while it is written, a file's name must stay below 255 bytes. */
const SOURCE_LENGTH_MAX = 100;

export interface ReadPackOptions {
  /** The project's clearances from lowest to highest, where it names its own. */
  clearances?: readonly string[];
}

/**
 * Reads and checks a pack: its metadata, every policy, the priority band, ids that stand twice. Throws `invalid_pack` with all
 * problems in its details.
 */
export function readPack({ directory, files }: PackFiles, options: ReadPackOptions = {}): Pack {
  const problems: Problem[] = [];
  const metadata = readMetadata(directory, files.get(METADATA), problems);
  const policies: PackPolicy[] = [];
  for (const source of [...files.keys()].filter((path) => path.startsWith('policies/')).sort()) {
    const policy = readPolicy(
      source,
      files.get(source) ?? new Uint8Array(),
      metadata,
      options,
      problems,
    );
    if (policy !== null) policies.push(policy);
  }
  if (policies.length === 0 && problems.length === 0) {
    problems.push({
      file: 'policies',
      code: 'no_policies',
      message: 'The pack holds no policies.',
    });
  }
  problems.push(...repeated(policies));
  if (problems.length > 0 || metadata === null) throw asError(directory, problems);
  return { metadata, policies, checksum: packChecksum(files) };
}

/**
 * SHA-256 (hex) over `metadata.yaml` and `policies/**\/*.yaml` in sorted path order, each as its path, a newline, its length in
 * bytes, a newline, and its bytes: no two different packs give the same input.
 */
export function packChecksum(files: PackFiles['files']): string {
  const hash = createHash('sha256');
  const paths = [...files.keys()].filter(
    (path) => path === METADATA || /^policies\/.*\.yaml$/.test(path),
  );
  for (const path of paths.sort()) {
    const bytes = files.get(path) ?? new Uint8Array();
    hash.update(`${path}\n${bytes.length}\n`, 'utf8').update(bytes);
  }
  return hash.digest('hex');
}

function readMetadata(
  directory: string,
  bytes: Uint8Array | undefined,
  problems: Problem[],
): PackMetadata | null {
  const report = (code: string, message: string, place: object = {}) =>
    problems.push({ file: METADATA, ...place, code, message });
  const text = bytes === undefined ? undefined : decodeUtf8(bytes);
  if (text === undefined) {
    report('missing_metadata', 'The pack has no metadata.yaml that is UTF-8 text.');
    return null;
  }
  const yaml = readYaml(text);
  for (const { line, column, code, message } of yaml.findings)
    report(code, message, { line, column });
  if (yaml.findings.length > 0) return null;
  const findings = checkSchema(schema, yaml.value);
  for (const { path, code, message } of findings)
    report(code, message, yaml.positionOf(path, 'key'));
  if (findings.length > 0) return null;
  const raw = (
    yaml.value as {
      __pack_meta: Partial<PackMetadata> & Pick<PackMetadata, 'name' | 'version' | 'layer'>;
    }
  ).__pack_meta;
  const at = (key: string) => yaml.positionOf(['__pack_meta', key], 'key');
  const before = problems.length;
  if (raw.name !== directory)
    report(
      'name_mismatch',
      `The pack is named "${raw.name}", its directory "${directory}".`,
      at('name'),
    );
  if (semver.valid(raw.version) !== raw.version)
    report(
      'version_invalid',
      `"${raw.version}" is not a semantic version such as 1.0.0.`,
      at('version'),
    );
  for (const dependency of raw.dependencies ?? []) {
    const { name, range } = parseDependency(dependency);
    if (semver.validRange(range) === null)
      report('range_invalid', `"${range}" is not a version range.`, at('dependencies'));
    if (name === raw.name)
      report('self_dependency', 'A pack cannot depend on itself.', at('dependencies'));
  }
  const band = raw.priority_band;
  if (band !== undefined && band.min > band.max)
    report('band_invalid', 'The priority band ends before it begins.', at('priority_band'));
  if (problems.length > before) return null;
  return {
    ...raw,
    description: raw.description ?? '',
    dependencies: raw.dependencies ?? [],
  };
}

function readPolicy(
  source: string,
  bytes: Uint8Array,
  metadata: PackMetadata | null,
  options: ReadPackOptions,
  problems: Problem[],
): PackPolicy | null {
  const match = POLICY_FILE.exec(source);
  const text = decodeUtf8(bytes);
  if (match === null || text === undefined || source.length > SOURCE_LENGTH_MAX) {
    const message =
      match === null
        ? 'A policy of a pack is a file policies/<NN>_<slug>.yaml.'
        : text === undefined
          ? 'The file is not UTF-8 text.'
          : `The path is longer than ${SOURCE_LENGTH_MAX} characters.`;
    problems.push({ file: source, code: 'policy_file', message });
    return null;
  }
  const parsed = parsePolicyFile(
    text,
    source,
    options.clearances === undefined ? {} : { clearances: options.clearances },
  );
  problems.push(...parsed.problems);
  if (parsed.policy === null) return null;
  const band = metadata?.priority_band;
  if (band !== undefined && !isInBand(text, parsed.policy.priority, band)) {
    const message = `The priority of "${parsed.policy.id}" must be from ${band.min} to ${band.max}.`;
    problems.push({
      file: source,
      ...parsed.position('/priority'),
      code: 'priority_outside_band',
      message,
    });
  }
  const target = `config/policies/${metadata?.name ?? ''}__${match[1]}__${match[2]}.yaml`;
  return { source, target, bytes, policy: parsed.policy };
}

/** A priority that is left out is 0 to the policy, and outside of every band to a pack. */
function isInBand(text: string, priority: number, band: { min: number; max: number }): boolean {
  const { value } = readYaml(text);
  const isGiven = typeof value === 'object' && value !== null && Object.hasOwn(value, 'priority');
  return isGiven && priority >= band.min && priority <= band.max;
}

function repeated(policies: readonly PackPolicy[]): Problem[] {
  const ids = new Set<string>();
  const targets = new Set<string>();
  const twice = policies.filter(({ policy, target }) => {
    const isNew = !ids.has(policy.id) && !targets.has(target);
    ids.add(policy.id);
    targets.add(target);
    return !isNew;
  });
  return twice.map(({ source, policy }) => ({
    file: source,
    code: 'duplicate',
    message: `The policy id "${policy.id}" stands twice in the pack.`,
  }));
}

function asError(directory: string, problems: readonly Problem[]): VkitError {
  const band = problems.some(({ code }) => code === 'priority_outside_band');
  const sentence = band
    ? 'Policy priority outside allowed band'
    : `${problems.length === 1 ? 'One problem' : `${problems.length} problems`} in the pack "${directory}"`;
  return new VkitError('invalid_pack', `InvalidPack: ${sentence}`, {
    hint: band
      ? 'Give every policy a priority in the band of metadata.yaml.'
      : 'Correct what is listed, then try again.',
    details: {
      problems: problems.map((problem) => ({
        ...problem,
        file: `${directory}/${problem.file ?? ''}`,
      })),
    },
  });
}
