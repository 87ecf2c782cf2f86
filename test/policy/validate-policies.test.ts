import { describe, expect, it } from 'vitest';
import { parsePolicyFile } from '../../src/policy/parse-policy.js';
import {
  type PolicyFile,
  type ValidatePoliciesInput,
  validatePolicies,
} from '../../src/policy/validate-policies.js';
import type { Registry, RegistryField } from '../../src/schema/model.js';

const field = (part: Partial<RegistryField> = {}): RegistryField => ({
  type: 'text',
  sensitivity: 'low',
  category: 'internal',
  tags: [],
  ...part,
});

const registry: Registry = new Map([
  [
    'customers',
    {
      datasource: 'production_db',
      fields: new Map([
        ['id', field()],
        ['email', field({ sensitivity: 'medium', category: 'pii', tags: ['contact'] })],
        ['phone', field({ sensitivity: 'medium', category: 'pii', classification: 'phone' })],
        ['ssn', field({ sensitivity: 'high', category: 'pii', classification: 'national_id' })],
      ]),
    },
  ],
  ['sales.orders', { datasource: 'production_db', fields: new Map([['total', field()]]) }],
]);

function fileOf(text: string, file = 'p.yaml'): PolicyFile {
  const { policy, problems, position } = parsePolicyFile(text, file);
  if (policy === null) throw new Error(JSON.stringify(problems));
  return { policy, file, text, position };
}

function findingsOf(text: string, more: Partial<ValidatePoliciesInput> = {}): string[] {
  const input = { policies: [fileOf(text)], registry, datasources: ['production_db'], ...more };
  return validatePolicies(input).map(
    ({ severity, line, column, code }) => `${line}:${column} ${severity} ${code}`,
  );
}

/** The findings on a file that cannot be used, as a draft. */
function findingsOfDraft(text: string, more: Partial<ValidatePoliciesInput> = {}): string[] {
  const { policy, draft, warnings, position } = parsePolicyFile(text, 'p.yaml');
  expect(policy).toBeNull();
  if (draft === null) throw new Error('Nothing of it can be read.');
  const drafts = [{ policy: draft, file: 'p.yaml', text, warnings, position }];
  const input = { policies: [], drafts, registry, datasources: ['production_db'], ...more };
  return validatePolicies(input).map(
    ({ severity, line, column, code }) => `${line}:${column} ${severity} ${code}`,
  );
}

const HEAD = 'id: a\ndescription: x\n';
const ALLOW = 'action: {allow: true}\n';

describe('the validation of policies', () => {
  it('has nothing against what is whole and names what exists', () => {
    const text = `${HEAD}match:
  datasource: production_*
  dataset: [CUSTOMERS, orders]
  fields: {category: PII, contains: [contact], any: [email]}
context: {requester_role: analyst}
${ALLOW}`;
    expect(findingsOf(text, { roles: ['analyst'] })).toEqual([]);
  });

  it('warns of a missing description', () => {
    expect(findingsOf(`id: a\n${ALLOW}`)).toEqual(['1:5 warning missing_description']);
  });

  it.each([
    ['datasource', 'match: {datasource: prodution_db}\n', '3:21 error unknown_datasource'],
    ['dataset', 'match: {dataset: [customers, custmers]}\n', '3:30 error unknown_dataset'],
    ['dataset that is a glob', 'match: {dataset: "x*"}\n', '3:18 warning unknown_dataset'],
    [
      'field of a named dataset',
      'match: {dataset: customers, fields: {any: [emial]}}\n',
      '3:44 error unknown_field',
    ],
    [
      'field of no particular dataset',
      'match: {fields: {any: [card]}}\n',
      '3:24 warning unknown_field',
    ],
    [
      'field of another dataset',
      'match: {dataset: customers, fields: {all: [total]}}\n',
      '3:44 error unknown_field',
    ],
    ['category', 'match: {fields: {category: phi}}\n', '3:28 warning unknown_category'],
    ['tag', 'match: {fields: {contains: [contakt]}}\n', '3:29 warning unknown_tag'],
    ['role', 'context: {requester_role: anlyst}\n', '3:27 error unknown_role'],
    ['role that is no text', 'context: {requester_role: true}\n', '3:27 error unknown_role'],
    ['role in a list', 'when: {requester_role: [analyst, boss]}\n', '3:24 error unknown_role'],
    [
      'role in an operator',
      'match: {context: {requester_role: {neq: boss}}}\n',
      '3:35 error unknown_role',
    ],
  ])('finds a %s that exists nowhere', (_what, part, expected) => {
    expect(findingsOf(`${HEAD}${part}${ALLOW}`, { roles: ['analyst'] })).toEqual([expected]);
  });

  it.each([
    ['environment', 'context: {environment: prodution}\n', '3:24 warning unknown_environment'],
    [
      'environment among others',
      'when: {environment: {in: [production, prodution]}}\n',
      '3:21 warning unknown_environment',
    ],
    ['region', 'match: {context: {dataset_region: {neq: USA}}}\n', '3:35 warning unknown_region'],
  ])('warns of an %s that no datasource has', (_what, part, expected) => {
    const known = { environments: ['production'], regions: ['US'] };
    expect(findingsOf(`${HEAD}${part}${ALLOW}`, known)).toEqual([expected]);
    expect(findingsOf(`${HEAD}${part}${ALLOW}`)).toEqual([]);
  });

  it('has nothing against an environment and a region that a datasource has, or another attribute', () => {
    const known = { environments: ['production'], regions: ['US'] };
    const text = `${HEAD}context: {environment: production, dataset_region: {eq: US, neq: $requester_region, present: true}}\n${ALLOW}`;
    expect(findingsOf(text, known)).toEqual([]);
  });

  it('calls a category a category, and suggests the nearest', () => {
    const text = `${HEAD}match: {fields: {category: intrenal}}\n${ALLOW}`;
    expect(validatePolicies({ policies: [fileOf(text)], registry, datasources: [] })).toMatchObject(
      [
        {
          code: 'unknown_category',
          message: 'The policy a names the category `intrenal`, which exists nowhere.',
          suggestion: 'Did you mean internal?',
        },
      ],
    );
  });

  it('finds the names of a file that cannot be used, and nothing that may only be unreadable', () => {
    const text = `${HEAD}bogus: 1
match: {dataset: nosuch, fields: {sensitivity: hihg, category: pi}}
context: {requester_role: nobody, environment: prodution, time: {timezone: Mars/X}}
action: {mask: true, mask_type: hash, approvals: 2, ttl: 99d}
`;
    const known = { roles: ['analyst'], environments: ['production'] };
    expect(findingsOfDraft(text, known)).toEqual([
      '4:18 error unknown_dataset',
      '4:64 warning unknown_category',
      '5:27 error unknown_role',
      '5:48 warning unknown_environment',
      '6:39 warning no_effect',
      '6:58 warning ttl_over_ceiling',
    ]);
  });

  it('finds an id that a file and one that cannot be used share', () => {
    const bad = `${HEAD}bogus: 1\n${ALLOW}`;
    expect(findingsOfDraft(bad, { policies: [fileOf(HEAD + ALLOW, 'q.yaml')] })).toEqual([
      '1:5 error duplicate_id',
      '1:5 error duplicate_id',
    ]);
  });

  it('passes the warnings of a file on, which a comment may accept', () => {
    const text = (comment: string) => `${HEAD}action: {mask: true, approvals: 2}${comment}\n`;
    const found = (comment: string) => {
      const { policy, warnings, position } = parsePolicyFile(text(comment), 'p.yaml');
      if (policy === null) throw new Error('The policy is good.');
      const file = { policy, warnings, file: 'p.yaml', text: text(comment), position };
      return validatePolicies({ policies: [file], registry, datasources: [] });
    };
    expect(found('')).toMatchObject([
      { severity: 'warning', line: 3, column: 22, code: 'no_effect' },
    ]);
    expect(found(' # vkit-ignore: no_effect for later')).toEqual([]);
  });

  it('finds an approver role that exists nowhere', () => {
    const action = 'action: {require_approval: true, approver_role: dpo, reason: x}\n';
    expect(findingsOf(HEAD + action, { roles: ['analyst'] })).toEqual(['3:49 error unknown_role']);
  });

  it('knows every role where the project names none', () => {
    expect(findingsOf(`${HEAD}context: {requester_role: anybody}\n${ALLOW}`)).toEqual([]);
  });

  it('finds fields that a mask names and that exist nowhere', () => {
    const text = `${HEAD}match: {dataset: customers}
action: {mask: true, mask_except: [idd]}
masking: {rules: {emial: full}}
`;
    expect(findingsOf(text)).toEqual(['4:36 error unknown_field', '5:26 error unknown_field']);
  });

  it('suggests the nearest name', () => {
    const text = `${HEAD}match: {dataset: custmers}\n${ALLOW}`;
    const [finding] = validatePolicies({ policies: [fileOf(text)], registry, datasources: [] });
    expect(finding?.suggestion).toBe('Did you mean customers?');
  });

  it('finds an id that two files use, in both', () => {
    const policies = [fileOf(HEAD + ALLOW, 'b.yaml'), fileOf(HEAD + ALLOW, 'a.yaml')];
    const findings = validatePolicies({ policies, registry, datasources: [] });
    expect(findings.map(({ file, code }) => `${file} ${code}`)).toEqual([
      'a.yaml duplicate_id',
      'b.yaml duplicate_id',
    ]);
  });

  it('finds a priority outside of its pack’s band', () => {
    const packs = [{ name: 'starter', band: { min: 100, max: 199 }, policyIds: ['a'] }];
    expect(findingsOf(`${HEAD}priority: 200\n${ALLOW}`, { packs })).toEqual([
      '3:11 error outside_band',
    ]);
    expect(findingsOf(`${HEAD}priority: 199\n${ALLOW}`, { packs })).toEqual([]);
  });

  it.each([
    ['of high sensitivity', 'ssn', 1],
    ['that can be enumerated', 'phone', 1],
    ['that is neither', 'email', 0],
  ])('warns of a hash on a field %s', (_what, name, count) => {
    const text = `${HEAD}match: {fields: {any: [${name}]}}\naction: {mask: true, mask_type: hash}\n`;
    expect(findingsOf(text)).toEqual(Array(count).fill('4:33 warning hash_guessable'));
  });

  it('looks at the method of each field', () => {
    const text = `${HEAD}match: {dataset: customers}
action: {mask: true}
masking:
  default_method: full
  rules: {phone: hash, ssn: tokenize}
`;
    expect(findingsOf(text)).toEqual(['7:18 warning hash_guessable']);
  });

  it('accepts a finding by a comment with a reason, on the line or above it', () => {
    expect(findingsOf(`id: a # vkit-ignore: missing_description it is obvious\n${ALLOW}`)).toEqual(
      [],
    );
    expect(
      findingsOf(`# vkit-ignore: missing_description obvious\n# more\nid: a\n${ALLOW}`),
    ).toEqual([]);
  });

  it('does not accept another finding, or one of another line, or what only looks like a comment', () => {
    expect(findingsOf(`id: a # vkit-ignore: unknown_tag no\n${ALLOW}`)).toEqual([
      '1:5 warning missing_description',
    ]);
    expect(findingsOf(`id: a\n# vkit-ignore: missing_description no\n${ALLOW}`)).toEqual([
      '1:5 warning missing_description',
    ]);
    const text = `id: a\ndescription: ''\naction: {deny: true, reason: "# vkit-ignore: missing_description x"}\n`;
    expect(findingsOf(text)).toEqual(['1:5 warning missing_description']);
  });

  it('finds a comment without a reason', () => {
    expect(findingsOf(`id: a # vkit-ignore: missing_description\n${ALLOW}`)).toEqual([
      '1:5 warning missing_description',
      '1:7 error ignore_without_reason',
    ]);
  });
});

describe('a policy without any effect', () => {
  const effects = (text: string, ...others: string[]) => {
    const policies = [text, ...others].map((one, index) => fileOf(one, `p${index}.yaml`));
    return validatePolicies({ policies, registry, datasources: ['production_db'] }).filter(
      ({ code }) => code === 'never_matches' || code === 'always_overruled',
    );
  };

  it.each([
    ['a role wanted and refused', 'requester_role: {eq: a, neq: a}', '3:27'],
    ['every wanted role refused', 'requester_role: {in: [a, b], nin: [b, c, a]}', '3:27'],
    ['a clearance below the lowest', 'requester_clearance: {lt: low}', '3:32'],
    ['a clearance above the highest', 'requester_clearance: {gt: 4}', '3:32'],
    ['bounds that cross', 'requester_clearance: {gte: high, lt: medium}', '3:32'],
    ['a name and a level that differ', 'requester_clearance: {eq: high, in: [1, 2]}', '3:32'],
    ['a region wanted and refused', 'requester_region: {eq: EU, nin: [US, EU]}', '3:29'],
  ])('never matches with %s', (_what, condition, place) => {
    const [finding, ...others] = effects(`${HEAD}context: {${condition}}\n${ALLOW}`);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ severity: 'warning', code: 'never_matches' });
    expect(`${finding?.line}:${finding?.column}`).toBe(place);
  });

  it.each([
    'requester_role: {eq: a, neq: b}',
    'requester_role: {in: [a, b], nin: [b]}',
    'requester_clearance: {gte: medium, lte: 2}',
    'requester_clearance: {eq: high, in: [3]}',
    'requester_region: {neq: EU}',
    'dataset_region: {neq: $requester_region, in: [EU]}',
    'requester_region: {present: false}',
    'time: {after: "22:00", before: "06:00"}',
  ])('is not found where it can match: %s', (condition) => {
    expect(effects(`${HEAD}context: {${condition}}\n${ALLOW}`)).toEqual([]);
  });

  it('never matches where no field of the registry is what it asks for', () => {
    const text = `${HEAD}match:\n  fields: {category: pii, sensitivity: low}\n${ALLOW}`;
    expect(effects(text)).toMatchObject([{ code: 'never_matches', line: 4 }]);
    const within = `${HEAD}match:\n  dataset: sales.*\n  fields: {any: [email]}\n${ALLOW}`;
    // That no field there has the name is said already.
    expect(effects(within)).toEqual([]);
  });

  it('never matches where a name would have to be two names', () => {
    const text = `${HEAD}match: {fields: {any: [email, phone], all: [id, ssn]}}\n${ALLOW}`;
    expect(effects(text)).toMatchObject([{ code: 'never_matches' }]);
  });

  const DENY = (id: string, rest: string) =>
    `id: ${id}\ndescription: x\n${rest}action: {deny: true, reason: no}\n`;
  const MASK = 'action: {mask: true}\n';

  it.each([
    ['a deny of everything', ALLOW, ''],
    ['a deny of more datasets', `match: {dataset: customers}\n${MASK}`, 'match: {dataset: "*"}\n'],
    [
      'a deny of more fields',
      `match: {fields: {any: [email]}}\n${MASK}`,
      'match: {fields: {contains: [pii]}}\n',
    ],
    [
      'a deny under fewer conditions',
      `context: {requester_role: a, environment: x}\n${ALLOW}`,
      'context: {requester_role: [a, b]}\n',
    ],
    [
      'a deny of more clearances',
      `context: {requester_clearance: low}\n${ALLOW}`,
      'context: {requester_clearance: {lt: high}}\n',
    ],
    [
      'a deny of more regions',
      `context: {requester_region: US}\n${ALLOW}`,
      'context: {requester_region: {neq: EU}}\n',
    ],
  ])('is overruled always by %s', (_what, policy, deny) => {
    const found = effects(`${HEAD}${policy}`, DENY('b', deny));
    expect(found).toMatchObject([{ file: 'p0.yaml', code: 'always_overruled', line: 1 }]);
    expect(found[0]?.message).toContain('b denies');
  });

  it.each([
    [
      'a deny of fields, which leaves count(*)',
      ALLOW,
      'match: {fields: {sensitivity: [low, medium, high]}}\n',
    ],
    ['a deny of fewer datasets', ALLOW, 'match: {dataset: customers}\n'],
    [
      'a deny of some who hold several roles',
      `context: {requester_role: a}\n${ALLOW}`,
      'context: {requester_role: {neq: b}}\n',
    ],
    [
      'a deny under a condition of another kind',
      `context: {requester_role: a}\n${ALLOW}`,
      'context: {environment: x}\n',
    ],
    [
      'a deny where all of its fields are touched',
      `match: {fields: {any: [email]}}\n${ALLOW}`,
      'match: {fields: {all: [email, phone]}}\n',
    ],
  ])('is not found beside %s', (_what, policy, deny) => {
    expect(effects(`${HEAD}${policy}`, DENY('b', deny))).toEqual([]);
  });

  it('is not an allow below a mask or an approval, whose ttl still counts', () => {
    const mask = `id: b\ndescription: x\n${MASK}`;
    const fields = 'match: {fields: {any: [email]}}\n';
    expect(effects(`${HEAD}${fields}${ALLOW}`, mask)).toEqual([]);
  });
});
