import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDependency } from '../../src/packs/dependency.js';
import { shippedPacksDirectory } from '../../src/packs/load-pack-files.js';
import { evaluate } from '../../src/policy/evaluate.js';
import type { Decision } from '../../src/policy/model.js';
import type { PolicySet } from '../../src/policy/policy-set.js';
import type { TestGiven } from '../../src/policy/policy-test-file.js';
import { preparePolicyTest } from '../../src/policy/policy-test-input.js';
import { addPack } from '../../src/services/add-pack.js';
import { type LoadedPolicies, loadPolicies } from '../../src/services/load-policies.js';
import { readPolicyTests } from '../../src/services/read-policy-tests.js';
import { testPolicies } from '../../src/services/test-policies.js';
import { directoryWith } from '../project/files.js';
import { now, shipped } from './packs.js';

const PACKS = ['starter', 'ai_safety', 'financial_compliance'];

/** The policies of a project with the sample registry, the pack, and what it depends on. */
async function withDependencies(name: string): Promise<LoadedPolicies> {
  const root = directoryWith({
    'vkit.yaml':
      'org: acme\nroles: [admin, analyst, engineer, agent, ai_agent, data_owner, security, finance_manager]\n',
    'config/registry.yaml': readFileSync(
      join(shippedPacksDirectory(), 'sample-registry.yaml'),
      'utf8',
    ),
    'config/datasources/shop.yaml':
      'id: shop\nengine: sqlite\nenvironment: production\nconfig: {path: ./shop.db}\n',
  });
  const { dependencies } = (await shipped(name)).metadata;
  for (const reference of [...dependencies.map((one) => parseDependency(one).name), name]) {
    await addPack({ root, reference, cwd: root, now });
  }
  return loadPolicies({ root });
}

function decide(set: PolicySet, given: TestGiven): Decision {
  const { prepared, problems } = preparePolicyTest(
    set,
    { name: '', given, expect: {}, line: 1, column: 1, problemAt: (_path, problem) => problem },
    null,
  );
  expect(problems).toEqual([]);
  if (prepared === null) throw new Error('The case cannot be decided.');
  return evaluate(prepared.set, prepared.input);
}

describe.each(PACKS)('the tests of the pack %s', (name) => {
  it('pass, and exercise all of its policies and their conditions', async () => {
    const tests = await readPolicyTests({
      paths: [join(shippedPacksDirectory(), name, 'tests')],
      cwd: '/',
      root: null,
    });
    const { total, results, coverage } = testPolicies(await withDependencies(name), tests);
    expect(total).toBeGreaterThan(15);
    const failed = results.filter(({ passed }) => !passed);
    expect(failed.map(({ line, differences }) => ({ line, differences }))).toEqual([]);
    const own = new Set((await shipped(name)).policies.map(({ policy }) => policy.id));
    const isOwn = ({ policy_id: id }: { policy_id: string }) => own.has(id);
    expect(coverage.policies.unexercised.filter(isOwn)).toEqual([]);
    expect(coverage.conditions.unexercised.filter(isOwn)).toEqual([]);
  });
});

describe('the shipped packs together', () => {
  it('open nothing unasked with a further pack, and nothing that a policy closes without it', async () => {
    const order = ['deny', 'require_approval', 'mask', 'allow'];
    const sets: PolicySet[] = [];
    for (const name of PACKS) sets.push((await withDependencies(name)).active.policies);
    const [{ datasets } = { datasets: new Map() }] = sets;
    let cases = 0;
    for (const requester_role of ['analyst', 'ai_agent', 'engineer', 'admin', 'finance_manager']) {
      for (const environment of ['production', 'staging', null]) {
        for (const requester_clearance of [null, 'low', 'medium', 'high', 'admin']) {
          for (const [dataset, { fields }] of datasets) {
            for (const field of fields.keys()) {
              const who = { requester_role, requester_clearance, environment };
              const given = { ...who, dataset, fields: [field] };
              const [first, ...further] = sets.map((set) => decide(set, given));
              let before = first;
              for (const after of further) {
                // What no policy names is denied until one does: then it may come masked, or be asked for.
                const most = before?.policy_id === null ? 'mask' : (before?.action ?? 'deny');
                expect(order.indexOf(after.action), JSON.stringify(given)).toBeLessThanOrEqual(
                  order.indexOf(most),
                );
                before = after;
              }
              cases += 1;
            }
          }
        }
      }
    }
    expect(cases).toBeGreaterThan(1_000);
  });
});
