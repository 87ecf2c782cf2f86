import type { Problem } from '../errors/index.js';
import type { Registry, RegistryDataset } from './model.js';
import { type ParsedRegistry, parseRegistry } from './parse-registry.js';
import { splitRegistry } from './registry-blocks.js';
import { keyOfBlock } from './registry-edit.js';

/** A file of the baseline; `path` with `/`. */
export interface RegistryFile {
  path: string;
  text: string;
}

/** The baseline as it lies in a project: one file, and one more for each datasource that is too large for it. */
export interface RegistryFiles {
  main: RegistryFile | null;
  /** `<datasource>.yaml` each, sorted by path. */
  parts: readonly RegistryFile[];
}

/**
 * Reads all files of the baseline as one registry, whose keys are unique among all of them. A part holds the datasets of the
 * datasource that it is named after, and no other. A dataset that stands in both files letter for letter is what a killed scan
 * left, and counts once; any other that stands twice is a problem.
 */
export function parseRegistryFiles({ main, parts }: RegistryFiles): ParsedRegistry {
  const first = main === null ? EMPTY : parseRegistry(main.text, main.path);
  if (parts.length === 0) return first;
  const registry = new Map<string, RegistryDataset>(first.registry);
  const problems: Problem[] = [...first.problems];
  const fileOf = new Map<string, RegistryFile>();
  for (const key of main === null ? [] : registry.keys()) fileOf.set(key, main as RegistryFile);
  for (const part of parts) {
    const parsed = parseRegistry(part.text, part.path);
    problems.push(...parsed.problems);
    const owner = datasourceOfPart(part.path);
    for (const [key, dataset] of parsed.registry) {
      const place = () => ({
        file: part.path,
        line: 1,
        column: 1,
        ...placeOfDataset(part.text, key),
        pointer: `/${key}`,
      });
      const other = fileOf.get(key);
      if (dataset.datasource !== owner) {
        const message = `The dataset "${key}" is of the datasource "${dataset.datasource}", and this file is that of "${owner}".`;
        const suggestion = `Move it to registry.yaml, or to registry/${dataset.datasource}.yaml.`;
        problems.push({ ...place(), code: 'wrong_file', message, suggestion });
      } else if (other !== undefined && !isCopy(key, other, part)) {
        const message = `The dataset "${key}" stands in ${other.path} too.`;
        problems.push({
          ...place(),
          code: 'duplicate_key',
          message,
          suggestion: 'Keep one of them.',
        });
      }
      registry.set(key, dataset);
      fileOf.set(key, part);
    }
  }
  return { registry, problems };
}

const EMPTY: ParsedRegistry = {
  registry: new Map<string, RegistryDataset>() as Registry,
  problems: [],
};

/** The datasource that a part is named after. */
export function datasourceOfPart(path: string): string {
  return (path.split('/').at(-1) ?? '').replace(/\.ya?ml$/, '');
}

/**
 * Where a file begins a dataset: a key at the beginning of a line, which nothing else in a block mapping can be. `undefined` where
 * it does not.
 */
export function placeOfDataset(
  text: string,
  dataset: string,
): { line: number; column: number } | undefined {
  const starts = [dataset, `"${dataset}"`, `'${dataset}'`].map((key) => `${key}:`);
  const line = text.split('\n').findIndex((one) => starts.some((start) => one.startsWith(start)));
  return line === -1 ? undefined : { line: line + 1, column: 1 };
}

function isCopy(key: string, one: RegistryFile, other: RegistryFile): boolean {
  const [first, second] = [one, other].map(({ text }) =>
    splitRegistry(text)?.blocks.find(({ body }) => keyOfBlock(body) === key),
  );
  return first !== undefined && first.body.trimEnd() === second?.body.trimEnd();
}
