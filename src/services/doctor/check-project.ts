import { VkitError } from '../../errors/index.js';
import { findProject } from '../../project/find-project.js';
import { counted } from '../../util/counted.js';
import { type LoadedProject, loadProject } from '../load-project.js';
import { findingsOf } from '../validate-project.js';
import { type DoctorCheck, failed, failedBy, ok, skipped } from './check.js';

const FINDINGS_SHOWN_MAX = 3;

export interface CheckedProject {
  check: DoctorCheck;
  /** Null where there is none, or nothing of it can be read. */
  loaded: LoadedProject | null;
}

/** The files of the project that a folder is in, as `vkit policy validate` sees them. */
export async function checkProject(cwd: string, cacheDirectory?: string): Promise<CheckedProject> {
  const id = 'project';
  try {
    const { root } = await findProject(cwd);
    const loaded = await loadProject(root, cacheDirectory === undefined ? {} : { cacheDirectory });
    const errors = (await findingsOf(loaded)).filter(({ severity }) => severity === 'error');
    const counts = [
      counted(loaded.policies.length, 'policy', 'policies'),
      counted(loaded.registry.size, 'dataset'),
      counted(loaded.project.datasources.length, 'datasource'),
    ];
    if (errors.length === 0) return { check: ok(id, `${root}: ${counts.join(', ')}`), loaded };
    const shown = errors
      .slice(0, FINDINGS_SHOWN_MAX)
      .map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`);
    const message = `The project's files have ${counted(errors.length, 'error')}: ${shown.join(' ')}`;
    return { check: failed(id, message, 'See all of them: vkit policy validate'), loaded };
  } catch (error) {
    if (error instanceof VkitError && error.code === 'project_not_found') {
      return { check: skipped(id, error.message, error.hint), loaded: null };
    }
    return { check: failedBy(id, error), loaded: null };
  }
}

/** `vkit.server.yaml`, read as `vkit serve` reads it. */
export async function checkServerFile(read: () => Promise<string | null>): Promise<DoctorCheck> {
  const id = 'config.server';
  try {
    const found = await read();
    return found === null
      ? skipped(id, 'There is no vkit.server.yaml: vkit serve would take its defaults.')
      : ok(id, found);
  } catch (error) {
    return failedBy(id, error);
  }
}
