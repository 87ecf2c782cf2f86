import type { Problem } from '../errors/index.js';
import type { Registry, RegistryDataset } from './model.js';
import { createFieldReader, readPlainBlock } from './read-plain-block.js';
import { readRegistryYaml } from './read-registry-yaml.js';
import { splitRegistry } from './registry-blocks.js';

/** Ten thousand tables of twenty columns take about 16 MB. */
const CHARACTERS_MAX = 64 * 1_048_576;
const DATASETS_MAX = 100_000;
const PROBLEMS_MAX = 100;

export interface ParsedRegistry {
  /** What could be read; only to be used where there are no problems. */
  registry: Registry;
  /** Every finding, in the order of the file, at most 100. */
  problems: Problem[];
}

/**
 * Reads `config/registry.yaml` (scan.md, "Registry"). Keys are strict, a key written twice is an error, and so are anchors,
 * aliases, custom tags and `__proto__`. Symbols of older files (`:medium`, also as keys of a field) mean their text, and
 * sensitivity and category are compared without case. A field without `sensitivity` is `high`, one without `category` is
 * `internal`. An empty file is an empty registry.
 */
export function parseRegistry(text: string, file: string): ParsedRegistry {
  const registry = new Map<string, RegistryDataset>();
  if (text.length > CHARACTERS_MAX) {
    const message = `The registry is larger than ${CHARACTERS_MAX} characters.`;
    return { registry, problems: [{ code: 'limit_exceeded', message, file, line: 1, column: 1 }] };
  }
  const split = splitRegistry(text);
  if (split === null) return parseWhole(text, file);
  const problems: Problem[] = [];
  const readField = createFieldReader();
  for (const block of split.blocks) {
    const plain = readPlainBlock(block.body, readField);
    const read =
      plain === null
        ? readRegistryYaml(block.body, { file, lineOffset: block.line - 1 })
        : { datasets: [{ ...plain, line: block.line, column: 1 }], problems: [], syntax: false };
    // The cut is by lines: where a part alone is not YAML, the whole is asked what is wrong, once.
    if (read.syntax) return parseWhole(text, file);
    problems.push(...read.problems);
    collect(registry, problems, read.datasets, file);
    if (problems.length >= PROBLEMS_MAX) break;
  }
  return { registry, problems: inOrder(problems).slice(0, PROBLEMS_MAX) };
}

function parseWhole(text: string, file: string): ParsedRegistry {
  const read = readRegistryYaml(text, { file, lineOffset: 0 });
  const registry = new Map<string, RegistryDataset>();
  const problems = [...read.problems];
  collect(registry, problems, read.datasets, file);
  return { registry, problems: inOrder(problems).slice(0, PROBLEMS_MAX) };
}

type Placed = { key: string; dataset: RegistryDataset; line: number; column: number };

function collect(
  registry: Map<string, RegistryDataset>,
  problems: Problem[],
  datasets: readonly Placed[],
  file: string,
): void {
  for (const { key, dataset, line, column } of datasets) {
    const place = () => ({ file, line, column, pointer: `/${key}` });
    if (registry.has(key)) {
      const message = `The dataset "${key}" stands twice in the registry.`;
      problems.push({
        ...place(),
        code: 'duplicate_key',
        message,
        suggestion: 'Keep one of them.',
      });
    } else if (registry.size === DATASETS_MAX) {
      const message = `The registry has more than ${DATASETS_MAX} datasets.`;
      problems.push({ ...place(), code: 'limit_exceeded', message });
      return;
    } else registry.set(key, dataset);
  }
}

function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
}
