import type { Problem } from '../errors/index.js';
import type { Registry, RegistryDataset } from '../schema/model.js';
import type { YamlPosition } from '../util/read-yaml.js';
import { datasetForms } from './compile-match.js';
import type { Policy, PolicyDraft } from './model.js';

/** One thing that `vkit policy validate` has to say. */
export interface Finding {
  severity: 'error' | 'warning';
  file: string;
  line: number;
  column: number;
  code: string;
  message: string;
  suggestion?: string;
}

/**
 * What of a policy can be read, with its file. `text` is needed for the comments that accept findings; `warnings` are
 * those of the file by itself.
 */
export interface DraftFile {
  policy: PolicyDraft;
  file: string;
  text?: string;
  warnings?: readonly Problem[];
  position(pointer: string): YamlPosition;
}

/** A policy with its file. */
export interface PolicyFile extends DraftFile {
  policy: Policy;
}

/** What the checks of one policy may know of the project. */
export interface ValidationContext {
  registry: Registry;
  /** From lowest to highest; low, medium, high, admin if absent. */
  clearances?: readonly string[];
  datasources: readonly string[];
  roles?: readonly string[];
  /** Environments and regions of the datasources; absent where there is no datasource to have one. */
  environments?: readonly string[];
  regions?: readonly string[];
  packs?: readonly {
    name: string;
    band: { min: number; max: number };
    policyIds: readonly string[];
  }[];
}

/** Where the first of the pointers that is in the file stands; the first one's surroundings where none is. */
export function placeOf(
  position: PolicyFile['position'],
  pointers: readonly string[],
): YamlPosition {
  const present = pointers.find((pointer) => {
    // A pointer that is not there gets the place of what is around it.
    const around = position(`${pointer.slice(0, pointer.lastIndexOf('/'))}/\0`);
    const own = position(pointer);
    return own.line !== around.line || own.column !== around.column;
  });
  return position(present ?? pointers[0] ?? '');
}

/** The names a dataset of the baseline goes by; its schema is what stands before the table in the key. */
export function formsOfKey(key: string, { datasource }: RegistryDataset): readonly string[] {
  const isPrefixed = key.toLowerCase().startsWith(`${datasource}.`.toLowerCase());
  const local = isPrefixed ? key.slice(datasource.length + 1) : key;
  const dot = local.indexOf('.');
  return datasetForms(key, datasource, dot < 0 ? '' : local.slice(0, dot));
}
