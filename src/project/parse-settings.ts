import schema from '../../schemas/vkit.schema.json' with { type: 'json' };
import type { BundleHeader } from '../bundle/model.js';
import type { Problem } from '../errors/index.js';
import { checkYaml } from './yaml-problems.js';

/** What `vkit.yaml` says of a project as a whole. */
export interface ProjectSettings {
  org: string | null;
  default_action: BundleHeader['default_action'];
  /** The known roles; null: any role may be named. */
  roles: readonly string[] | null;
  /** From lowest to highest; null: low, medium, high, admin. */
  clearances: readonly string[] | null;
  repo: string | null;
}

export const DEFAULT_SETTINGS: ProjectSettings = {
  org: null,
  default_action: 'deny',
  roles: null,
  clearances: null,
  repo: null,
};

/** Reads `vkit.yaml`. With problems, the settings are the defaults, which deny. */
export function parseSettings(
  text: string,
  file: string,
): { settings: ProjectSettings; problems: Problem[] } {
  const { value, problems } = checkYaml(text, file, schema);
  if (problems.length > 0) return { settings: DEFAULT_SETTINGS, problems };
  return { settings: { ...DEFAULT_SETTINGS, ...(value as Partial<ProjectSettings>) }, problems };
}
