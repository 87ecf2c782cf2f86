import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/policy/evaluate.js';
import { explainPolicies } from '../../src/policy/explain-policies.js';
import type { Policy } from '../../src/policy/model.js';
import { compilePolicySet } from '../../src/policy/policy-set.js';
import {
  comparableDecision,
  compareDecision,
  type TestDifference,
} from '../../src/policy/policy-test-compare.js';
import { coverageRecorder, reaches } from '../../src/policy/policy-test-coverage.js';
import { parsePolicyTestFile } from '../../src/policy/policy-test-file.js';
import { preparePolicyTest } from '../../src/policy/policy-test-input.js';
import { missingMetadata } from '../../src/services/control/approvals-given.js';
import { bundleOf, policyOf } from './cases.js';

const CUSTOMERS = {
  name: 'customers',
  datasource: 'shop',
  table: { schema: 'main', name: 'customers' },
  fields: [
    { name: 'email', type: 'text', sensitivity: 'medium', category: 'pii' },
    { name: 'id', type: 'integer', sensitivity: 'low' },
    { name: 'ssn', type: 'text', sensitivity: 'high', category: 'pii' },
  ],
} as const;

const READ_LOW = { id: 'read_low', match: { fields: { any: ['id'] } }, action: { allow: true } };
const MASK_PII = {
  id: 'mask_pii',
  match: { fields: { contains: ['pii'] } },
  action: { mask: true, mask_type: 'hash' },
};

function setOf(...forms: object[]) {
  const datasource = {
    name: 'shop',
    type: 'sqlite',
    environment: 'production',
    region: 'US',
    config: {},
  };
  const registry = { datasets: [CUSTOMERS], datasources: [datasource] };
  const policies = forms.map((form): Policy => policyOf(form));
  return compilePolicySet({ ...bundleOf(policies), registry });
}

const DATASET = 'dataset: customers';

function fileOf(...cases: string[]): string {
  return `name: sample\ncases:\n${cases.map((one) => `  - ${one}\n`).join('')}`;
}

function testsOf(...cases: string[]) {
  const { tests, problems } = parsePolicyTestFile(fileOf(...cases), 'tests.yaml');
  expect(problems).toEqual([]);
  return tests?.cases ?? [];
}

function decided(set: ReturnType<typeof setOf>, text: string) {
  const [test] = testsOf(text);
  if (test === undefined) throw new Error('There is no case.');
  const { prepared, problems } = preparePolicyTest(set, test, null);
  if (prepared === null) throw new Error(JSON.stringify(problems));
  const decision = evaluate(prepared.set, prepared.input);
  const missing = missingMetadata(decision.approvals, test.given.metadata ?? {});
  const actual = comparableDecision(decision, prepared, missing);
  return {
    prepared,
    decision,
    actual,
    differences: compareDecision(test.expect, actual, prepared),
  };
}

function keysOf(differences: readonly TestDifference[]): string[] {
  return differences.map(({ key }) => key);
}

describe('a file of policy tests', () => {
  it('is refused with every problem at once, each with its line and column', () => {
    const text = `name: sample
cases:
  - given: {requester_rol: analyst, dataset: customers}
    expect: {action: maks}
  - given: {fields: [id]}
    expect: {masks: {id: rot13}}
`;
    const { tests, problems } = parsePolicyTestFile(text, 'tests.yaml');
    expect(tests).toBeNull();
    expect(problems).toMatchObject([
      { file: 'tests.yaml', line: 3, column: 13, code: 'unknown_key' },
      { line: 4, column: 14, code: 'wrong_value', suggestion: 'Did you mean "mask"?' },
      { line: 5, code: 'missing_key' },
      { line: 6, column: 22, code: 'wrong_value' },
    ]);
    expect(problems[0]?.suggestion).toBe('Did you mean "requester_role"?');
  });

  it.each([
    ['an empty file', '', 'missing_key'],
    ['no case', 'name: x\ncases: []\n', 'wrong_value'],
    ['a custom tag', 'name: !!js/function x\ncases: []\n', 'yaml_tag'],
    ['two keys alike', 'name: x\nname: y\ncases: []\n', 'yaml_syntax'],
    [
      'a moment without a zone',
      fileOf(`{given: {${DATASET}, at: "2026-03-02T10:00:00"}, expect: {}}`),
      'wrong_value',
    ],
    [
      'a day that no month has',
      fileOf(`{given: {${DATASET}, at: "2026-02-30T10:00:00Z"}, expect: {}}`),
      'wrong_value',
    ],
  ])('is refused with %s', (_what, text, code) => {
    const { tests, problems } = parsePolicyTestFile(text, 'tests.yaml');
    expect(tests).toBeNull();
    expect(problems.map((problem) => problem.code)).toContain(code);
  });

  it('is refused where a name would make a test pass by a typing error', () => {
    const set = setOf(READ_LOW);
    const cases = testsOf(
      '{given: {dataset: custmers, fields: [id]}, expect: {action: deny}}',
      `{given: {${DATASET}, fields: [id, emial]}, expect: {action: deny}}`,
      `{given: {${DATASET}, requester_clearance: hihg}, expect: {action: deny}}`,
      `{given: {${DATASET}, requester_role: [analist]}, expect: {action: deny}}`,
      `{given: {${DATASET}, fields: [id]}, expect: {masks: {ssn: full}}}`,
      `{given: {${DATASET}, fields: [id]}, expect: {fields: {email: deny}, denied_fields: [ssn]}}`,
    );
    const found = cases.map((test) => {
      const { prepared, problems } = preparePolicyTest(set, test, ['analyst']);
      expect(prepared).toBeNull();
      return problems.map(({ line, code, suggestion }) => [line, code, suggestion]);
    });
    expect(found).toEqual([
      [[3, 'unknown_dataset', 'Did you mean "customers"?']],
      [[4, 'unknown_field', 'Did you mean "email"?']],
      [[5, 'unknown_clearance', expect.stringContaining('low, medium, high, admin')]],
      [[6, 'unknown_role', 'Did you mean "analyst"?']],
      [[7, 'not_touched', expect.any(String)]],
      [
        [8, 'not_touched', expect.any(String)],
        [8, 'not_touched', expect.any(String)],
      ],
    ]);
  });
});

describe('a case', () => {
  it('expects closed what it does not list', () => {
    const set = setOf(READ_LOW, MASK_PII);
    const differences = (fields: string, expected: string) =>
      keysOf(
        decided(set, `{given: {${DATASET}, fields: ${fields}}, expect: ${expected}}`).differences,
      );
    expect(differences('[id]', '{}')).toEqual(['action']);
    expect(differences('[id]', '{action: allow}')).toEqual([]);
    expect(differences('[id, email]', '{action: mask}')).toEqual(['masks']);
    expect(differences('[id, email]', '{action: mask, masks: {EMAIL: hash}}')).toEqual([]);
    expect(differences('[id, email]', '{action: mask, masks: {email: full}}')).toEqual(['masks']);
    expect(differences('[id]', '{fields: {id: allow}}')).toEqual([]);
    expect(differences('[id, email]', '{fields: {id: allow}, masks: {email: hash}}')).toEqual([
      'action',
      'fields',
    ]);
    const listed = '{fields: {id: allow, email: mask}, masks: {email: hash}}';
    expect(differences('[id, email]', listed)).toEqual([]);
    expect(differences('[ssn]', '{action: mask, masks: {ssn: hash}, policy_id: null}')).toEqual([
      'policy_id',
    ]);
  });

  it('compares reason, ttl, rows, approvals and missing metadata where it gives them', () => {
    const set = setOf({
      id: 'ask',
      match: { dataset: 'customers' },
      action: {
        require_approval: true,
        approver_role: 'data_owner',
        approvals: 2,
        approval_metadata_required: ['ticket', 'why'],
        reason: 'Ask first',
        ttl: '15m',
        max_rows: 10,
      },
    });
    const given = `${DATASET}, fields: [id], metadata: {why: audit, ticket: " "}`;
    const check = (expected: string) => {
      const text = `{given: {${given}}, expect: {action: require_approval, ${expected}}}`;
      return keysOf(decided(set, text).differences);
    };
    expect(check('reason: Ask first, ttl: 15m, max_rows: 10, auto_revoke: false')).toEqual([]);
    expect(check('ttl: 1h, max_rows: null, reason: null')).toEqual(['reason', 'max_rows', 'ttl']);
    expect(check('missing_metadata: [ticket]')).toEqual([]);
    expect(check('missing_metadata: []')).toEqual(['missing_metadata']);
    expect(check('approvals: [data_owner]')).toEqual([]);
    expect(check('approvals: [{approver_role: data_owner, approvals: 2, policy_id: ask}]')).toEqual(
      [],
    );
    expect(check('approvals: [{approver_role: data_owner, approvals: 1}]')).toEqual(['approvals']);
    expect(check('approvals: []')).toEqual(['approvals']);
    expect(check('approvals: [data_owner, data_owner]')).toEqual(['approvals']);
    expect(
      check('approvals: [{approver_role: data_owner, metadata_required: [why, ticket]}]'),
    ).toEqual([]);
  });

  it('has the environment and region of its datasource unless it says otherwise', () => {
    const set = setOf({
      id: 'here',
      context: { environment: 'production', dataset_region: 'US' },
      action: { allow: true },
    });
    const action = (more: string) =>
      decided(set, `{given: {${DATASET}, fields: [id]${more}}, expect: {}}`).actual.action;
    expect(action('')).toBe('allow');
    expect(action(', environment: staging')).toBe('deny');
    expect(action(', dataset_region: EU')).toBe('deny');
    expect(action(', dataset_region: null')).toBe('deny');
    expect(action('')).toBe('allow');
  });

  it('gives an agent both of its roles, and takes a purpose for assigned unless it is not', () => {
    const agents = setOf({
      id: 'a',
      context: { requester_role: 'agent' },
      action: { allow: true },
    });
    const given = (more: string) => `{given: {${DATASET}, fields: [id], ${more}}, expect: {}}`;
    expect(decided(agents, given('requester_role: ai_agent')).actual.action).toBe('allow');
    expect(decided(agents, given('requester_role: [analyst]')).actual.action).toBe('deny');
    const support = setOf({ id: 'p', context: { purpose: 'support' }, action: { allow: true } });
    expect(decided(support, given('purpose: support')).actual.action).toBe('allow');
    const said = given('purpose: support, purpose_assigned: false');
    expect(decided(support, said).actual.action).toBe('deny');
  });

  it('is decided at a fixed moment, or at the one it names in any zone', () => {
    const set = setOf({
      id: 'monday',
      context: { time: { after: '09:00', before: '11:00', days: ['mon'] } },
      action: { allow: true },
    });
    const action = (more: string) =>
      decided(set, `{given: {${DATASET}, fields: [id]${more}}, expect: {}}`).actual.action;
    expect(action('')).toBe('allow');
    expect(action(', at: "2026-03-02T11:00:00Z"')).toBe('deny');
    expect(action(', at: "2026-03-02t12:30:00+02:00"')).toBe('allow');
  });

  it('finds a dataset in any case and without its schema, and none where two are meant', () => {
    const bundle = bundleOf([policyOf(READ_LOW)]);
    const tableOf = (schema: string) => ({
      ...CUSTOMERS,
      name: `${schema}.customers`,
      table: { schema, name: 'customers' },
    });
    const registry = { datasets: [tableOf('a')], datasources: [] };
    const one = compilePolicySet({ ...bundle, registry });
    expect(
      decided(one, '{given: {dataset: Customers, fields: [ID]}, expect: {}}').actual.fields,
    ).toEqual({ id: 'allow' });
    const two = compilePolicySet({
      ...bundle,
      registry: { datasets: [tableOf('a'), tableOf('b')], datasources: [] },
    });
    const [test] = testsOf('{given: {dataset: customers}, expect: {}}');
    if (test === undefined) throw new Error('There is no case.');
    expect(preparePolicyTest(two, test, null).problems).toMatchObject([
      { code: 'unknown_dataset', message: expect.stringContaining('write it in full') },
    ]);
  });
});

describe('coverage', () => {
  const ANALYSTS = {
    id: 'analysts',
    match: { fields: { any: ['id'] } },
    context: { requester_role: 'analyst', environment: 'production' },
    action: { allow: true },
  };

  it('counts a policy when it held, and a condition when it held once and failed once', () => {
    const set = setOf(ANALYSTS, MASK_PII);
    const recorder = coverageRecorder(set);
    const record = (given: string) => {
      const { prepared, decision } = decided(set, `{given: {${given}}, expect: {}}`);
      recorder.record(prepared, decision);
    };
    record(`${DATASET}, fields: [id], requester_role: engineer`);
    expect(recorder.report()).toEqual({
      policies: {
        exercised: 0,
        total: 2,
        share: 0,
        unexercised: [{ policy_id: 'analysts' }, { policy_id: 'mask_pii' }],
      },
      conditions: {
        exercised: 0,
        total: 2,
        share: 0,
        unexercised: [
          { policy_id: 'analysts', condition: 'environment', seen: 'yes' },
          { policy_id: 'analysts', condition: 'requester_role', seen: 'no' },
        ],
      },
    });
    record(`${DATASET}, fields: [id], requester_role: analyst`);
    const report = recorder.report();
    expect([report.policies.share, report.conditions.share]).toEqual([50, 50]);
    expect([reaches(report, 50), reaches(report, 51)]).toEqual([true, false]);
    // An attribute that is not known makes a condition neither hold nor fail.
    record(`${DATASET}, fields: [id, email], requester_role: analyst, environment: null`);
    expect(recorder.report().conditions.exercised).toBe(1);
    record(`${DATASET}, fields: [id], environment: staging`);
    expect(recorder.report()).toMatchObject({
      policies: { share: 100 },
      conditions: { share: 100 },
    });
  });

  it('does not ask the conditions of a policy that is about something else', () => {
    const set = setOf(ANALYSTS);
    const recorder = coverageRecorder(set);
    for (const role of ['analyst', 'engineer']) {
      const { prepared, decision } = decided(
        set,
        `{given: {${DATASET}, fields: [email], requester_role: ${role}}, expect: {}}`,
      );
      recorder.record(prepared, decision);
    }
    expect(recorder.report().conditions.unexercised.map(({ seen }) => seen)).toEqual([null, null]);
  });
});

describe('the explanation of a decision', () => {
  function explained(forms: object[], given: string) {
    const { prepared } = decided(setOf(...forms), `{given: {${given}}, expect: {}}`);
    const { trace = [] } = evaluate(prepared.set, { ...prepared.input, trace: true });
    return Object.fromEntries(
      explainPolicies(prepared.set, prepared.input, trace).map((entry) => [
        entry.policy_id,
        [entry.matched, entry.near_miss, entry.failed.map(({ part }) => part)],
      ]),
    );
  }

  it('names everything that failed, and as near misses the policies where it was one thing', () => {
    const found = explained(
      [
        READ_LOW,
        { id: 'b_role', context: { requester_role: 'admin' }, action: { allow: true } },
        {
          id: 'c_two',
          context: { requester_role: 'admin', environment: 'staging' },
          action: { allow: true },
        },
        { id: 'd_elsewhere', match: { dataset: 'orders' }, action: { deny: true, reason: 'no' } },
        {
          id: 'e_fields',
          match: { fields: { category: 'pci', any: ['x'] } },
          action: { mask: true },
        },
        { id: 'f_all', match: { fields: { all: ['id', 'ssn'] } }, action: { mask: true } },
        {
          id: 'g_except',
          action: { mask: true, mask_except: ['id'] },
          match: { fields: { any: ['id'] } },
        },
        { id: 'h_unknown', context: { requester_region: 'EU' }, action: { allow: true } },
        { id: 'i_unknown', context: { requester_region: 'EU' }, action: { mask: true } },
      ],
      `${DATASET}, fields: [id], requester_role: analyst`,
    );
    expect(found).toEqual({
      read_low: ['yes', false, []],
      b_role: ['no', true, ['requester_role']],
      c_two: ['no', false, ['environment', 'requester_role']],
      d_elsewhere: ['no', true, ['match.dataset']],
      e_fields: ['no', false, ['match.fields.category', 'match.fields.any']],
      f_all: ['no', true, ['match.fields.all']],
      g_except: ['no', true, ['mask_except']],
      h_unknown: ['undecided', true, ['requester_region']],
      i_unknown: ['undecided', false, []],
    });
  });

  it('looks at the reference where the fewest parts failed', () => {
    const pii = { ...MASK_PII, context: { environment: 'staging' } };
    expect(explained([pii], `${DATASET}, fields: [id, email]`)).toEqual({
      mask_pii: ['no', true, ['environment']],
    });
    expect(explained([pii], DATASET)).toEqual({
      mask_pii: ['no', false, ['match.fields', 'environment']],
    });
  });

  it('names all fields that failed a part, those alike together', () => {
    const { prepared } = decided(
      setOf(
        { id: 'pci', match: { fields: { category: ['pci', 'phi'] } }, action: { mask: true } },
        { id: 'named', match: { fields: { any: ['fax'] } }, action: { mask: true } },
        {
          id: 'excepted',
          match: { fields: { any: ['id', 'email'] } },
          action: { mask: true, mask_except: ['id', 'email'] },
        },
      ),
      `{given: {${DATASET}, fields: [id, email]}, expect: {}}`,
    );
    const { trace = [] } = evaluate(prepared.set, { ...prepared.input, trace: true });
    const found = explainPolicies(prepared.set, prepared.input, trace);
    const because = Object.fromEntries(
      found.map(({ policy_id: id, failed }) => [id, failed.map((one) => one.because)]),
    );
    expect(because).toEqual({
      excepted: ['mask_except: id, email'],
      named: ['match.fields.any: id, email are not of fax'],
      pci: ['match.fields.category: id is without one; email is pii, wanted pci, phi'],
    });
  });
});
