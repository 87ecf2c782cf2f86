import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import semver from 'semver';
import { Document, isScalar, Scalar, visit } from 'yaml';
import schema from '../../schemas/packs_state.schema.json' with { type: 'json' };
import { type Problem, VkitError } from '../errors/index.js';
import { checkSchema } from '../util/check-schema.js';
import { readYaml } from '../util/read-yaml.js';
import type { InstalledPackState, PacksState } from './model.js';

/** Relative to a project's root. It belongs into Git: bundles name the installed packs. */
export const PACKS_STATE_PATH = '.vkit/packs.yaml';

/** Texts that a reader of YAML 1.1 would take for a number or a moment. */
const QUOTED: ReadonlySet<string> = new Set([
  'version',
  'installed_at',
  'pack_checksum',
  'checksum',
]);

/** Reads what is installed; a project without the file has nothing installed. Throws `config_invalid`. */
export async function readPacksState(root: string): Promise<PacksState> {
  return parsePacksState(await readStateText(root));
}

/** The text of `.vkit/packs.yaml`; `null` where it is not there. */
export async function readStateText(root: string): Promise<string | null> {
  return readFile(join(root, PACKS_STATE_PATH), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  });
}

/** Reads the text of `.vkit/packs.yaml`; without one nothing is installed. Throws `config_invalid`. */
export function parsePacksState(text: string | null): PacksState {
  if (text === null) return {};
  const yaml = readYaml(text);
  const problems = [
    ...yaml.findings.map(({ line, column, code, message }) => ({ line, column, code, message })),
    ...(yaml.findings.length > 0 ? [] : checkSchema(schema, yaml.value)).map(
      ({ path, code, message }) => ({ ...yaml.positionOf(path, 'key'), code, message }),
    ),
  ];
  if (problems.length > 0) throw unreadable(problems);
  const { installed_packs: packs } = yaml.value as {
    installed_packs: Record<
      string,
      Omit<InstalledPackState, 'dependencies'> & Partial<InstalledPackState>
    > | null;
  };
  const entries = Object.entries(packs ?? {});
  const wrong = entries.flatMap(([name, pack]) =>
    wrongKeys(name, pack).map((key) => ({
      ...yaml.positionOf(['installed_packs', name, key], 'key'),
      code: 'wrong_value',
      message: `"${key}" of the pack ${name} is not what vkit writes there.`,
    })),
  );
  if (wrong.length > 0) throw unreadable(wrong);
  return Object.fromEntries(
    entries.map(([name, pack]) => [name, { ...pack, name, dependencies: pack.dependencies ?? [] }]),
  );
}

/** What no JSON Schema can say: names and paths that belong together, and versions that can be compared. */
function wrongKeys(
  key: string,
  { name, version, priority_band: band, files }: Omit<InstalledPackState, 'dependencies'>,
): string[] {
  const foreign = files.some(({ path }) => !path.startsWith(`config/policies/${key}__`));
  return [
    ...(name === key ? [] : ['name']),
    ...(semver.valid(version) === version ? [] : ['version']),
    ...(band !== undefined && band.min > band.max ? ['priority_band'] : []),
    ...(foreign ? ['files'] : []),
  ];
}

function unreadable(problems: readonly Problem[]): VkitError {
  return new VkitError('config_invalid', `${PACKS_STATE_PATH} cannot be read.`, {
    hint: `Restore it from Git: \`git checkout ${PACKS_STATE_PATH}\``,
    details: { problems: problems.map((problem) => ({ file: PACKS_STATE_PATH, ...problem })) },
  });
}

/** The text of `.vkit/packs.yaml`, sorted by name. */
export function printPacksState(state: PacksState): string {
  const installed = Object.fromEntries(
    Object.keys(state)
      .sort()
      .map((name) => [name, state[name]]),
  );
  const document = new Document(
    { format_version: 'v1', installed_packs: installed },
    { version: '1.2', aliasDuplicateObjects: false },
  );
  visit(document, {
    Pair(_index, { key, value }) {
      if (isScalar(key) && isScalar(value) && QUOTED.has(String(key.value))) {
        value.type = Scalar.QUOTE_DOUBLE;
      }
    },
  });
  const body = document.toString({ lineWidth: 0 });
  return `# Written by \`vkit policy pack\`; keep it in Git and do not edit it.\n${body}`;
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
