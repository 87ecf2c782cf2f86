import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { type Catalog, createCatalog } from '../../src/aql/catalog.js';
import type { TokenAccess } from '../../src/aql/plan-scope.js';
import type { FieldVisibility, Visibility } from '../../src/aql/visibility.js';
import type { Bundle, BundleDataset } from '../../src/bundle/model.js';
import type { Mask } from '../../src/masking/index.js';

const CASES = new URL('../cases/aql/', import.meta.url);

export type VisibilityTable = Readonly<Record<string, string | Mask>>;

/** What a case expects of each dialect. */
export interface ExpectedSql {
  postgres?: { sql: string; params?: unknown[] };
  sqlite?: { sql: string; params?: unknown[] };
  mysql?: { sql: string; params?: unknown[] } | { unsupported: string };
  snowflake?: { sql: string; params?: unknown[] };
  bigquery?: { sql: string; params?: unknown[] };
}

export interface AqlCase extends ExpectedSql {
  name: string;
  query: unknown;
  visibility?: VisibilityTable;
  limits?: { maxRows: number | null; rowCap?: number };
  rows?: { rowsMax: number; truncatable: boolean };
  columns?: unknown[];
  problems?: { pointer: string; code: string }[];
  unknown?: { pointer: string; name: string }[];
  references?: string[];
  throws?: string;
}

export function readCaseFiles(): { file: string; content: { cases: AqlCase[] } }[] {
  return readdirSync(fileURLToPath(CASES))
    .filter((file) => file.endsWith('.yaml') && !file.endsWith('.registry.yaml'))
    .map((file) => ({ file, content: parse(readFileSync(new URL(file, CASES), 'utf8')) }));
}

export function readCaseSchema(): object {
  return JSON.parse(readFileSync(new URL('case.schema.json', CASES), 'utf8'));
}

type WrittenDataset = Omit<BundleDataset, 'fields'> & {
  fields: [name: string, type: string, classification?: string | null, nullable?: 'not null'][];
};

/** The registry of the cases, in the form of a bundle. */
export function shopRegistry(): Pick<Bundle, 'registry'> {
  const text = readFileSync(new URL('shop.registry.yaml', CASES), 'utf8');
  return registryOf((parse(text) as { datasets: WrittenDataset[] }).datasets);
}

export function registryOf(written: readonly WrittenDataset[]): Pick<Bundle, 'registry'> {
  const datasets = written.map(
    (dataset): BundleDataset => ({
      ...dataset,
      fields: dataset.fields.map(([name, type, classification, nullable], index) => ({
        name,
        type,
        sensitivity: 'low',
        position: index + 1,
        ...(classification ? { classification } : {}),
        ...(nullable && { nullable: false }),
      })),
    }),
  );
  return { registry: { datasets, datasources: [] } };
}

export function shopCatalog(): Catalog {
  return createCatalog(shopRegistry());
}

/** What is not in the table is readable as it is. */
export function visibilityOf(table: VisibilityTable = {}): Visibility {
  return (dataset, field): FieldVisibility => {
    const entry = table[`${dataset}.${field}`];
    if (entry === undefined) return { state: 'raw' };
    if (entry === 'hidden') return { state: 'hidden' };
    if (typeof entry === 'object') return { state: 'masked', mask: entry };
    if (entry === 'partial') {
      return { state: 'masked', mask: { method: 'partial', prefix: 3, suffix: 0, minLength: 6 } };
    }
    return { state: 'masked', mask: { method: entry } as Mask };
  };
}

/** Tokens that anybody can read: `tok_1_` and the text, in every domain. */
export const plainTokens: TokenAccess = {
  open: (token) => (token.startsWith('tok_1_') ? token.slice('tok_1_'.length) : undefined),
  orderSalt: 'salt',
};
