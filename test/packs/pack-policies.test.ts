import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileBundle } from '../../src/bundle/compile-bundle.js';
import { parseDependency } from '../../src/packs/dependency.js';
import { shippedPacksDirectory } from '../../src/packs/load-pack-files.js';
import { evaluate } from '../../src/policy/evaluate.js';
import type { Decision } from '../../src/policy/model.js';
import { compilePolicySet } from '../../src/policy/policy-set.js';
import { parseRegistry } from '../../src/schema/parse-registry.js';
import { readYaml } from '../../src/util/read-yaml.js';
import { sampleInput } from '../bundle/sample.js';
import { shipped } from './packs.js';

type Case = {
  given: {
    requester_role: string;
    requester_clearance?: string;
    requester_region?: string;
    dataset_region?: string;
    environment: string;
    dataset: string;
    fields: string[];
  };
  expect: { action: string; policy_id?: string; masks?: Record<string, string> };
};

const AT = Date.parse('2026-03-02T10:00:00Z');

/** The pack and what it depends on, as a project has them. */
async function withDependencies(name: string) {
  const pack = await shipped(name);
  const others = await Promise.all(
    pack.metadata.dependencies.map((one) => shipped(parseDependency(one).name)),
  );
  return [pack, ...others].flatMap(({ policies }) => policies.map(({ policy }) => policy));
}

async function decide(name: string, given: Case['given']): Promise<Decision> {
  const { registry, problems } = parseRegistry(
    readFileSync(join(shippedPacksDirectory(), 'sample-registry.yaml'), 'utf8'),
    'sample-registry.yaml',
  );
  expect(problems).toEqual([]);
  const datasource = {
    name: 'shop',
    type: 'sqlite',
    environment: given.environment,
    region: given.dataset_region ?? null,
    config: {},
  };
  const bundle = compileBundle({
    ...sampleInput(),
    policies: await withDependencies(name),
    registry,
    lock: null,
    datasources: [datasource],
  });
  const isAgent = given.requester_role === 'ai_agent';
  return evaluate(compilePolicySet(bundle), {
    requester: {
      roles: isAgent ? ['agent', 'ai_agent'] : [given.requester_role],
      clearance: given.requester_clearance ?? null,
      region: given.requester_region ?? null,
      purposes: [],
    },
    references: [
      { dataset: given.dataset, field: null },
      ...given.fields.map((field) => ({ dataset: given.dataset, field })),
    ],
    at: AT,
  });
}

/** The masks as the decision has them, also behind an approval. */
function masksOf(decision: Decision): Record<string, string> {
  const masked = decision.references.flatMap(({ field, mask }) =>
    field === null || mask === undefined ? [] : [[field, mask.method]],
  );
  return Object.fromEntries(masked);
}

describe.each(['starter', 'ai_safety', 'financial_compliance'])('the pack %s', (name) => {
  const folder = join(shippedPacksDirectory(), name, 'tests');
  const cases = readdirSync(folder).flatMap(
    (file) => (readYaml(readFileSync(join(folder, file), 'utf8')).value as { cases: Case[] }).cases,
  );

  it.each(cases.map((one) => [JSON.stringify(one.given), one] as const))(
    'decides %s as it promises',
    async (_name, one) => {
      const decision = await decide(name, one.given);
      expect({ action: decision.action, policy_id: decision.policy_id }).toEqual({
        action: one.expect.action,
        policy_id: one.expect.policy_id ?? null,
      });
      if (decision.action !== 'deny') expect(masksOf(decision)).toEqual(one.expect.masks ?? {});
    },
  );
});

describe('the shipped packs together', () => {
  it('let starter grant an hour and financial data a quarter of one', async () => {
    const customer = {
      requester_role: 'analyst',
      requester_clearance: 'low',
      environment: 'staging',
      dataset: 'customers',
      fields: ['id'],
    };
    expect((await decide('starter', customer)).ttl_seconds).toBe(3_600);
    const financial = {
      ...customer,
      environment: 'production',
      dataset: 'payments',
      fields: ['amount'],
    };
    expect((await decide('financial_compliance', financial)).ttl_seconds).toBe(900);
  });

  it('never decide more openly with a further pack than without it', async () => {
    const order = ['deny', 'require_approval', 'mask', 'allow'];
    const packs = ['starter', 'ai_safety', 'financial_compliance'];
    const fields = {
      customers: ['id', 'email', 'national_id', 'diagnosis', 'preferences'],
      payments: ['id', 'currency', 'iban', 'card_number'],
    };
    for (const role of ['analyst', 'ai_agent', 'engineer', 'admin']) {
      for (const environment of ['production', 'staging']) {
        for (const [dataset, names] of Object.entries(fields)) {
          for (const field of names) {
            for (const requester_clearance of ['low', 'high']) {
              const given = {
                requester_role: role,
                requester_clearance,
                environment,
                dataset,
                fields: [field],
              };
              const [first = 'deny', ...later] = await Promise.all(
                packs.map(async (name) => (await decide(name, given)).action),
              );
              for (const action of later)
                expect(order.indexOf(action), JSON.stringify(given)).toBeLessThanOrEqual(
                  order.indexOf(first),
                );
            }
          }
        }
      }
    }
  });
});
