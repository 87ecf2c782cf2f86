import assert from 'node:assert/strict';
import { type Catalog, createCatalog } from '../../../src/aql/catalog.js';
import type { Connector } from '../../../src/engines/contract.js';
import { ENGINES, type LocalEngineName } from '../../../src/engines/index.js';
import type { EngineUnderTest } from '../../conformance/engine-ground.js';
import { scannedRegistry } from '../../engines/governed-query.js';
import type { ReferenceDataset, ReferenceWorld } from '../reference/schema.js';
import { arbitraryTables, sqlOf, type TestTable } from './arbitrary-tables.js';
import { diceOfSeed } from './dice.js';
import { ENGINE_PROFILES, type EngineProfile } from './engine-profile.js';
import { type Fault, type RealAnswer, realAnswer } from './real-answer.js';

/** Tables that stand in a database, and what the reference knows of them. */
export interface Ground {
  profile: EngineProfile;
  datasets: readonly ReferenceDataset[];
  /** The statements that made the tables. */
  sql: string;
  ask(query: unknown, world: ReferenceWorld, fault?: Fault): Promise<RealAnswer>;
}

/** Makes the tables of a seed in an engine, and scans them as vkit does. */
export async function withTables(
  under: EngineUnderTest,
  seed: number,
  use: (ground: Ground) => Promise<void>,
): Promise<void> {
  await withTheseTables(under, arbitraryTables(diceOfSeed(seed), ENGINE_PROFILES[under.name]), use);
}

/** Makes tables in an engine, and scans them as vkit does. */
export async function withTheseTables(
  under: EngineUnderTest,
  tables: readonly TestTable[],
  use: (ground: Ground) => Promise<void>,
): Promise<void> {
  const name: LocalEngineName = under.name;
  const profile = ENGINE_PROFILES[name];
  const sql = sqlOf(tables, profile);
  await under.withGround(async ({ target, schema, execute }) => {
    await execute(sql);
    const engine = ENGINES[name];
    const connector: Connector = await engine.connect(target);
    try {
      const scanned = (await connector.introspect({ include: [`${schema}.*`] })).tables;
      const keyOf = (table: string) => tables.find((one) => one.name === table)?.dataset ?? table;
      const registry = classified(scannedRegistry(scanned, keyOf).registry);
      const catalog: Catalog = createCatalog({ registry });
      const datasets = tables.map((table) => referenceOf(table, registry.datasets, profile));
      const ask: Ground['ask'] = (query, world, fault) =>
        realAnswer(query, catalog, world, engine.dialect, connector, fault);
      await use({ profile, datasets, sql, ask });
    } finally {
      await connector.close();
    }
  });
}

/** Fields of these names hold the same kind of thing, in whatever type. */
const CLASSES: Readonly<Record<string, string>> = {
  id: 'person',
  ref: 'person',
  nr: 'person',
  mail: 'contact',
};

function classified(registry: ReturnType<typeof scannedRegistry>['registry']) {
  const datasets = registry.datasets.map((dataset) => ({
    ...dataset,
    fields: dataset.fields.map((field) => {
      const classification = CLASSES[field.name];
      return classification === undefined ? field : { ...field, classification };
    }),
  }));
  return { ...registry, datasets };
}

type Scanned = ReturnType<typeof scannedRegistry>['registry']['datasets'];

/** The rows as they were written, with the keys as the scan found them. */
function referenceOf(table: TestTable, scanned: Scanned, profile: EngineProfile): ReferenceDataset {
  const found = scanned.find(({ name }) => name === table.dataset);
  const types = found?.fields.map(({ name, type }) => [name, type]);
  assert.deepEqual(
    types,
    table.fields.map(({ name, type }) => [name, type]),
  );
  assert.deepEqual(found?.primary_key ?? [], table.primaryKey);
  assert.deepEqual(found?.unique_keys ?? [], table.uniqueKeys);
  return {
    name: table.dataset,
    fields: table.fields.map(({ name, type }) => ({
      name,
      type,
      nullable: found?.fields.find((field) => field.name === name)?.nullable ?? true,
      ...(CLASSES[name] !== undefined && { classification: CLASSES[name] }),
    })),
    primaryKey: table.primaryKey,
    uniqueKeys: table.uniqueKeys,
    rows: table.rows.map((row) => row.map((cell, at) => storedIn(profile, table, at, cell))),
  };
}

function storedIn(profile: EngineProfile, table: TestTable, at: number, cell: string | null) {
  return cell === null ? null : (profile.stored?.(table.fields[at]?.type ?? '', cell) ?? cell);
}
