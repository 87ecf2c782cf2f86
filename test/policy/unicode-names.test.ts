import { describe, expect, it } from 'vitest';
import type { Bundle } from '../../src/bundle/model.js';
import { evaluate } from '../../src/policy/evaluate.js';
import type { Policy } from '../../src/policy/model.js';
import { parsePolicyFile } from '../../src/policy/parse-policy.js';
import { compilePolicySet } from '../../src/policy/policy-set.js';
import { validatePolicies } from '../../src/policy/validate-policies.js';
import { referenceEvaluate } from './reference/reference-evaluate.js';

const OPEN = 'id: open\naction: {allow: true}\n';

function policyOf(text: string): Policy {
  const { policy, problems } = parsePolicyFile(text, 'p.yaml');
  if (policy === null) throw new Error(JSON.stringify(problems));
  return policy;
}

function bundleOf(dataset: string, field: string, tag: string, texts: readonly string[]): Bundle {
  return {
    bundle: {
      format_version: 'v1',
      org_slug: 'acme',
      bundle_version: '1',
      sequence: 1,
      created_at: '2026-03-02T12:00:00Z',
      expires_at: null,
      source: { type: 'git', repo: '', commit_sha: '1', dirty: false },
      checksum: 'c'.repeat(64),
      installed_packs: [],
      default_action: 'deny',
    },
    registry: {
      datasources: [{ name: 'db', type: 'sqlite', environment: 'test', region: null, config: {} }],
      datasets: [
        {
          name: dataset,
          datasource: 'db',
          table: { schema: '', name: dataset },
          fields: [{ name: field, type: 'text', sensitivity: 'low', category: 'x', tags: [tag] }],
        },
      ],
    },
    policies: texts.map(policyOf),
    signing: null,
  };
}

/** What is decided on the one field, by the evaluator and by its reference, which agree. */
function decided(bundle: Bundle): string {
  const [dataset] = bundle.registry.datasets;
  const input = {
    requester: { roles: ['analyst'], clearance: 'low', region: null, purposes: [] },
    references: [{ dataset: dataset?.name ?? '', field: dataset?.fields[0]?.name ?? '' }],
    at: 0,
  };
  const { action } = evaluate(compilePolicySet(bundle), input);
  expect(referenceEvaluate(bundle, input).action).toBe(action);
  return action;
}

const deny = (match: string) => `id: closed\nmatch: ${match}\naction: {deny: true, reason: no}\n`;

/** The name in the registry, and the same name as a policy writes it. */
const SAME = [
  ['ΟΔΟΣ', 'οδος'],
  ['οδος', 'οδοσ'],
  ['straße', 'STRASSE'],
  ['STRAẞE', 'straße'],
  ['İl', 'i\u0307l'],
  ['caf\u00e9', 'CAFE\u0301'],
  ['\u212ael', 'kel'],
] as const;

describe.each(SAME)('a deny on %s, written %s', (is, written) => {
  it.each([
    ['dataset', (name: string) => `{dataset: "${name}"}`],
    ['dataset with its datasource', (name: string) => `{dataset: "DB.${name}"}`],
    ['dataset by a glob', (name: string) => `{dataset: "*${name}"}`],
    ['field', (name: string) => `{fields: {any: ["${name}"]}}`],
    ['field of all', (name: string) => `{fields: {all: ["${name}"]}}`],
    ['tag', (name: string) => `{fields: {contains: ["${name}"]}}`],
  ])('holds for the %s', (what, match) => {
    const dataset = what === 'dataset with its datasource' ? `db.${is}` : is;
    expect(decided(bundleOf(dataset, is, is, [OPEN, deny(match(written))]))).toBe('deny');
  });
});

it('lets a question mark stand for a letter that folds to two', () => {
  const closed = deny('{dataset: "stra?e"}');
  expect(decided(bundleOf('straße', 'a', 'b', [OPEN, closed]))).toBe('deny');
});

it.each([
  ['id', 'ıd', ['confusable_name', 'unknown_field']],
  ['cafe', 'caf\u00e9', ['confusable_name', 'unknown_field']],
  ['caf\u00e9', 'cafe\u0301', ['name_not_nfc']],
  ['straße', 'STRASSE', []],
])('validates a policy on %s that writes %s', (is, written, codes) => {
  const text = `id: a\ndescription: x\nmatch: {fields: {any: ["${written}"]}}\naction: {allow: true}\n`;
  const { policy, position } = parsePolicyFile(text, 'p.yaml');
  if (policy === null) throw new Error('It can be read.');
  const field = { type: 'text', sensitivity: 'low', category: 'x', tags: [] } as const;
  const registry = new Map([['t', { datasource: 'db', fields: new Map([[is, field]]) }]]);
  const policies = [{ policy, file: 'p.yaml', text, position }];
  const found = validatePolicies({ policies, registry, datasources: ['db'] });
  const spelling = found.map(({ code }) => code).filter((code) => code !== 'never_matches');
  expect(spelling.sort()).toEqual(codes);
  expect(found.every(({ severity }) => severity === 'warning')).toBe(true);
});
