import { type Problem, VkitError } from '../errors/index.js';
import { listDatasources } from './list-datasources.js';
import { type ScanDatasourceInput, type ScanOutcome, scanDatasource } from './scan-datasource.js';

/** Databases that are read at the same time. */
const PARALLEL_MAX = 8;

export interface ScanAllInput extends Omit<ScanDatasourceInput, 'id'> {
  /** Told whenever the set of datasources that are being read changes. */
  onProgress?: (state: { running: readonly string[]; done: number; total: number }) => void;
}

export interface ScanAllResult {
  /** In the order of their ids. */
  outcomes: readonly ScanOutcome[];
  failures: readonly { id: string; error: unknown }[];
}

/**
 * Scans every datasource of the project. One that fails does not stop the others. Throws `not_found` in a project without
 * datasources; a datasource file with problems is a failure of its own.
 */
export async function scanAll({ onProgress, ...input }: ScanAllInput): Promise<ScanAllResult> {
  const { datasources, problems } = await listDatasources(input);
  if (datasources.length === 0 && problems.length === 0) {
    throw new VkitError('not_found', 'The project has no datasource yet.', {
      hint: 'Add one: vkit datasource add shop --url sqlite:./shop.db',
    });
  }
  const ids = datasources.map(({ id }) => id);
  const outcomes = new Map<string, ScanOutcome>();
  const failures: { id: string; error: unknown }[] = [];
  const running = new Set<string>();
  const waiting = [...ids];
  const tell = () =>
    onProgress?.({
      running: [...running],
      done: outcomes.size + failures.length,
      total: ids.length,
    });
  const work = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      running.add(id);
      tell();
      try {
        outcomes.set(id, await scanDatasource({ ...input, id }));
      } catch (error) {
        failures.push({ id, error });
      }
      running.delete(id);
      tell();
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL_MAX, ids.length) }, work));
  for (const [file, own] of problemsByFile(problems)) {
    const error = new VkitError('config_invalid', `${file} has problems.`, {
      details: { problems: own },
    });
    failures.push({ id: file, error });
  }
  return {
    outcomes: ids.flatMap((id) => outcomes.get(id) ?? []),
    failures: failures.sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

function problemsByFile(problems: readonly Problem[]): Map<string, Problem[]> {
  const files = new Map<string, Problem[]>();
  for (const problem of problems) {
    const file = problem.file ?? 'The project';
    files.set(file, [...(files.get(file) ?? []), problem]);
  }
  return files;
}
