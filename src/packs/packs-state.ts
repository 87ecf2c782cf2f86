import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import schema from '../../schemas/packs_state.schema.json' with { type: 'json' };
import { VkitError } from '../errors/index.js';
import { checkSchema } from '../util/check-schema.js';
import { readYaml } from '../util/read-yaml.js';
import type { InstalledPackState, PacksState } from './model.js';

/** Relative to a project's root. It belongs into Git: bundles name the installed packs. */
export const PACKS_STATE_PATH = '.vkit/packs.yaml';

/** Reads what is installed; a project without the file has nothing installed. Throws `config_invalid`. */
export async function readPacksState(root: string): Promise<PacksState> {
  const text = await readFile(join(root, PACKS_STATE_PATH), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
      throw error;
    },
  );
  return text === null ? {} : parsePacksState(text);
}

/** Reads the text of `.vkit/packs.yaml`. */
export function parsePacksState(text: string): PacksState {
  const yaml = readYaml(text);
  const problems = [
    ...yaml.findings.map(({ line, column, code, message }) => ({ line, column, code, message })),
    ...(yaml.findings.length > 0 ? [] : checkSchema(schema, yaml.value)).map(
      ({ path, code, message }) => ({ ...yaml.positionOf(path, 'key'), code, message }),
    ),
  ];
  if (problems.length > 0) {
    throw new VkitError('config_invalid', `${PACKS_STATE_PATH} cannot be read.`, {
      hint: `Restore it from Git: \`git checkout ${PACKS_STATE_PATH}\``,
      details: { problems: problems.map((problem) => ({ file: PACKS_STATE_PATH, ...problem })) },
    });
  }
  const { installed_packs: packs } = yaml.value as {
    installed_packs: Record<
      string,
      Omit<InstalledPackState, 'dependencies'> & Partial<InstalledPackState>
    > | null;
  };
  return Object.fromEntries(
    Object.entries(packs ?? {}).map(([name, pack]) => [
      name,
      { ...pack, name, dependencies: pack.dependencies ?? [] },
    ]),
  );
}

/** The text of `.vkit/packs.yaml`, sorted by name. */
export function printPacksState(state: PacksState): string {
  const installed = Object.fromEntries(
    Object.keys(state)
      .sort()
      .map((name) => [name, state[name]]),
  );
  const body = stringify(
    { format_version: 'v1', installed_packs: installed },
    { version: '1.2', lineWidth: 0, aliasDuplicateObjects: false },
  );
  return `# Written by \`vkit policy pack\`; keep it in Git and do not edit it.\n${body}`;
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
