import type { Classifier } from '../../src/schema/classification/index.js';
import { type MergeScanResult, mergeScan } from '../../src/schema/merge-scan.js';
import type {
  RegistryLock,
  ScannedColumn,
  ScannedSchema,
  ScannedTable,
} from '../../src/schema/model.js';
import { parseRegistry } from '../../src/schema/parse-registry.js';
import { emptyRegistryLock } from '../../src/schema/registry-lock.js';

/** A column in one word: `email text`, `email text null`; the position is given by its place in the table. */
type ColumnText = string;

/** A scanned table of the schema `public` unless the name says otherwise. */
export function table(
  name: string,
  columns: readonly ColumnText[],
  extra: Partial<ScannedTable> & { oid?: number } = {},
): ScannedTable {
  const [schema, bare] = name.includes('.') ? name.split('.', 2) : ['public', name];
  const { oid, ...rest } = extra;
  return {
    table: { schema: schema ?? '', name: bare ?? '', ...(oid === undefined ? {} : { oid }) },
    kind: 'table',
    primary_key: [],
    unique_keys: [],
    foreign_keys: [],
    columns: columns.map((text, index): ScannedColumn => {
      const [column = '', type = '', nullable] = text.split(' ');
      return {
        name: column,
        type,
        native: type,
        position: index + 1,
        nullable: nullable === 'null',
      };
    }),
    ...rest,
  };
}

export function schema(...tables: ScannedTable[]): ScannedSchema {
  return { server: 'postgres 15.4', defaultSchema: 'public', tables };
}

/** Classifies by the name alone, so that the tests of merging do not depend on the rules of classification. */
export const classifyByName: Classifier = ({ name }) => {
  if (name.includes('email')) {
    return { classification: 'email', category: 'pii', sensitivity: 'medium', because: [] };
  }
  if (name.includes('ssn')) {
    return { classification: 'national_id', category: 'pii', sensitivity: 'high', because: [] };
  }
  return {
    classification: 'generic',
    category: 'internal',
    sensitivity: 'low',
    because: [],
  };
};

export type Baseline = { registryText: string; lock: RegistryLock };

export const NOTHING: Baseline = { registryText: '', lock: emptyRegistryLock() };

/** One scan of `production_db` on top of a baseline, which must parse. */
export function scan(
  baseline: Baseline,
  scanned: ScannedSchema,
  options: {
    datasource?: string;
    inScope?: (table: { schema: string; name: string }) => boolean;
  } = {},
): MergeScanResult {
  const { registry, problems } = parseRegistry(baseline.registryText, 'registry.yaml');
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return mergeScan({
    registryText: baseline.registryText,
    registry,
    lock: baseline.lock,
    scanned,
    datasource: options.datasource ?? 'production_db',
    classify: classifyByName,
    ...(options.inScope === undefined ? {} : { inScope: options.inScope }),
  });
}

/** The lines of a registry below its header comment. */
export function body(registryText: string): string {
  return registryText.slice(registryText.indexOf('\n\n') + 2);
}
