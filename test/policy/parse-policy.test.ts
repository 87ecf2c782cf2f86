import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parsePolicyFile } from '../../src/policy/parse-policy.js';
import { packageRoot } from '../../src/util/package-root.js';

/** `line:column code` of every problem. */
function problemsOf(text: string, clearances?: string[]): string[] {
  const { policy, problems } = parsePolicyFile(text, 'p.yaml', clearances ? { clearances } : {});
  expect(policy === null).toBe(problems.length > 0);
  return problems.map(({ line, column, code }) => `${line}:${column} ${code}`);
}

const HEAD = 'id: a\n';
const ALLOW = 'action: {allow: true}\n';

describe('a policy file', () => {
  it('is read in all parts of the documented example', () => {
    const text = readFileSync(join(packageRoot(), 'test/fixtures/documented-policy.yaml'), 'utf8');
    const { policy, problems, warnings } = parsePolicyFile(text, 'p.yaml');
    expect(problems).toEqual([]);
    expect(warnings.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual([
      '28:3 no_effect',
      '29:3 no_effect',
      '30:3 no_effect',
      '31:3 no_effect',
    ]);
    expect(policy).toEqual({
      id: 'ai_agent_restrictions',
      description: 'PII is hashed for agents',
      priority: 150,
      match: {
        datasource: 'production_db',
        dataset: 'customers',
        fields: {
          sensitivity: 'high',
          category: 'pii',
          contains: ['pii', 'financial'],
          any: ['email', 'phone'],
          all: ['ssn', 'dob'],
        },
      },
      when: {
        requester_role: 'ai_agent',
        requester_clearance: { lte: 'medium' },
        requester_region: 'US',
        dataset_region: { neq: '$requester_region' },
        environment: 'production',
        purpose: { present: true },
        time: {
          after: '09:00',
          before: '17:00',
          timezone: 'Europe/Berlin',
          days: ['mon', 'tue', 'wed', 'thu', 'fri'],
        },
      },
      action: 'mask',
      reason: '…',
      masking: {
        default_method: 'hash',
        rules: {
          ssn: 'full',
          email: 'partial',
          phone: { method: 'partial', prefix: 2, min_length: 8 },
        },
        except: ['id'],
      },
      ttl_seconds: 900,
      max_rows: 1000,
      auto_revoke: true,
    });
  });

  it('gives an approval its role, people, metadata and lifting', () => {
    const text = `${HEAD}action:
  require_approval: true
  approver_role: finance_manager
  approvals: 2
  approval_metadata_required: [incident_ticket]
  lifts_mask: true
  reason: Ask
  ttl: 90
`;
    expect(parsePolicyFile(text, 'p.yaml').policy).toEqual({
      id: 'a',
      match: {},
      when: {},
      action: 'require_approval',
      reason: 'Ask',
      approval: {
        approver_role: 'finance_manager',
        approvals: 2,
        metadata_required: ['incident_ticket'],
        lifts_mask: true,
      },
      ttl_seconds: 90,
      priority: 0,
    });
  });

  it('may leave everything away but its id and action', () => {
    expect(parsePolicyFile(HEAD + ALLOW, 'p.yaml').policy).toEqual({
      id: 'a',
      match: {},
      when: {},
      action: 'allow',
      priority: 0,
    });
  });

  it('takes aliases of masks and symbols of older files', () => {
    const text = `${HEAD}description: ":note"
match: {fields: {sensitivity: :medium}}
context: {requester_clearance: {gte: :high}}
action: {mask: true}
masking: {default_method: :redact, rules: {email: truncate}}
`;
    expect(parsePolicyFile(text, 'p.yaml').policy).toMatchObject({
      description: ':note',
      match: { fields: { sensitivity: 'medium' } },
      when: { requester_clearance: { gte: 'high' } },
      masking: { default_method: 'full', rules: { email: 'partial' } },
    });
  });

  it('may say its method twice where it says the same', () => {
    const text = `${HEAD}action: {mask: true, mask_type: redact}\nmasking: {default_method: {method: full}}\n`;
    expect(parsePolicyFile(text, 'p.yaml').policy?.masking?.default_method).toEqual({
      method: 'full',
    });
  });

  it.each(['allow: true', 'deny: true, reason: x', 'mask: true'])(
    'takes the keys of an approval beside `%s` without effect, and warns of each',
    (action) => {
      const text = `${HEAD}action: {${action}, approver_role: boss, lifts_mask: true}\n`;
      const { policy, problems, warnings } = parsePolicyFile(text, 'p.yaml');
      expect(problems).toEqual([]);
      expect(policy).not.toHaveProperty('approval');
      expect(warnings.map(({ code }) => code)).toEqual(['no_effect', 'no_effect']);
      expect(warnings[0]?.message).toContain('`approver_role` has no effect');
    },
  );

  it('warns of a ttl beyond the life of any grant', () => {
    const { policy, warnings } = parsePolicyFile(
      `${HEAD}action: {allow: true, ttl: 99d}\n`,
      'p.yaml',
    );
    expect(policy?.ttl_seconds).toBe(8_553_600);
    expect(warnings).toMatchObject([{ line: 2, column: 28, code: 'ttl_over_ceiling' }]);
    expect(parsePolicyFile(`${HEAD}action: {allow: true, ttl: 24h}\n`, 'p.yaml').warnings).toEqual(
      [],
    );
  });

  it('reports what its form is not and what makes no sense together', () => {
    const text = `${HEAD}bogus: 1
match: {fields: {sensitivity: hihg}}
context:
  requester_clearance: {lte: mdium, equals: x}
  time: {after: 9am, timezone: Mars/X}
action: {deny: true, mask: true, ttl: 99999d, max_rows: many}
masking: {rules: {email: {method: hash, prefix: 1}, ssn: hush}}
`;
    expect(problemsOf(text)).toEqual([
      '2:1 unknown_key',
      '3:31 bad_value',
      '5:30 unknown_clearance',
      '5:37 unknown_key',
      '6:17 bad_value',
      '6:32 unknown_timezone',
      '7:1 one_action',
      '7:1 missing_key',
      '7:39 bad_duration',
      '7:57 bad_type',
      '8:41 mask_options',
      '8:58 bad_value',
    ]);
  });

  it('does not take what cannot be read for what is not there', () => {
    expect(problemsOf(`${HEAD}action: {deny: "yes"}\n`)).toEqual(['2:16 bad_type']);
    expect(problemsOf(`${HEAD}action: {deny: true, reason: ""}\n`)).toEqual(['2:30 bad_value']);
    expect(problemsOf(`${HEAD}context: {time: {days: [monday], timezone: UTC}}\n${ALLOW}`)).toEqual(
      ['2:25 bad_value'],
    );
    const mask = 'masking: {default_method: {method: partial, prefix: x, min_length: 2}}\n';
    expect(problemsOf(`${HEAD}action: {mask: true}\n${mask}`)).toEqual(['3:53 bad_type']);
  });

  it.each([
    ['id: Not-an-id\n', ALLOW, 'id must be lower-case letters, digits and _ after a first letter.'],
    [
      HEAD,
      'action: {allow: true, ttl: soon}\n',
      'action.ttl must be a duration such as 30s, 15m, 1h, 2d, or a number of seconds; a grant lives at most 24h.',
    ],
    [
      HEAD,
      'action: {allow: true, ttl: 0s}\n',
      'action.ttl must be a duration such as 30s, 15m, 1h, 2d, or a number of seconds; a grant lives at most 24h.',
    ],
    [HEAD, `match: {dataset: []}\n${ALLOW}`, 'match.dataset must not be empty.'],
    [HEAD, `match: {dataset: 5}\n${ALLOW}`, 'match.dataset must be text or a list.'],
    [HEAD, `priority: 9999999\n${ALLOW}`, 'priority must be at most 1000000.'],
    [
      HEAD,
      `context: {time: {after: "9am"}}\n${ALLOW}`,
      'context.time.after must be a time from 00:00 to 23:59, in quotes.',
    ],
  ])('says in words what it wants instead of %s%s', (head, rest, message) => {
    expect(parsePolicyFile(head + rest, 'p.yaml').problems.map((one) => one.message)).toEqual([
      message,
    ]);
  });

  it('says that exactly one action must be chosen, also where one lacks its reason', () => {
    const { problems } = parsePolicyFile(`${HEAD}action: {allow: true, deny: true}\n`, 'p.yaml');
    expect(problems.map(({ message }) => message)).toEqual([
      'Exactly one of deny, require_approval, mask, allow must be true; here deny and allow are.',
      'action lacks `reason`, which `deny: true` needs.',
    ]);
  });

  it('tells the place of a value, and of what is around one that is not there', () => {
    const { position } = parsePolicyFile(`${HEAD}match:\n  dataset: [x, y]\n${ALLOW}`, 'p.yaml');
    expect(position('/match/dataset/1')).toEqual({ line: 3, column: 16 });
    expect(position('/match/datasource')).toEqual({ line: 3, column: 3 });
    expect(position('/priority')).toEqual({ line: 1, column: 1 });
  });

  it('reports every problem at once, with the nearest known key', () => {
    const text = `id: Not-an-id
prioritty: 5
match: {dataset: [], feilds: {any: [x]}}
context: {requester_rol: a}
action: {allow: true, ttl: soon}
`;
    const { problems } = parsePolicyFile(text, 'p.yaml');
    expect(problems.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual([
      '1:5 bad_value',
      '2:1 unknown_key',
      '3:18 bad_value',
      '3:22 unknown_key',
      '4:11 unknown_attribute',
      '5:28 bad_value',
    ]);
    expect(problems.map((problem) => problem.suggestion)).toEqual([
      undefined,
      'Did you mean priority?',
      undefined,
      'Did you mean fields?',
      'Did you mean requester_role?',
      undefined,
    ]);
    expect(new Set(problems.map((problem) => problem.file))).toEqual(new Set(['p.yaml']));
  });

  it.each([
    ['no action', `${HEAD}action: {}\n`, ['2:1 one_action']],
    ['no action that is true', `${HEAD}action: {allow: false}\n`, ['2:1 one_action']],
    ['two actions', `${HEAD}action: {allow: true, mask: true}\n`, ['2:1 one_action']],
    ['no action at all', HEAD, ['1:1 missing_key']],
    ['an action as a word', `${HEAD}action: deny\n`, ['2:9 bad_type']],
    ['a deny without a reason', `${HEAD}action: {deny: true}\n`, ['2:1 missing_key']],
    [
      'an approval without reason and approver',
      `${HEAD}action: {require_approval: true}\n`,
      ['2:1 missing_key', '2:1 missing_key'],
    ],
    [
      'no approvals',
      `${HEAD}action: {require_approval: true, approver_role: x, reason: y, approvals: 0}\n`,
      ['2:74 bad_value'],
    ],
    [
      'a mask type without a mask',
      `${HEAD}action: {allow: true, mask_type: hash}\n`,
      ['2:23 needs_action'],
    ],
    [
      'masking without a mask',
      `${HEAD}${ALLOW}masking: {default_method: hash}\n`,
      ['3:1 needs_action'],
    ],
    ['an unknown method', `${HEAD}action: {mask: true, mask_type: hush}\n`, ['2:33 bad_value']],
    [
      'another method in each of two places',
      `${HEAD}action: {mask: true, mask_type: hash}\nmasking: {default_method: full}\n`,
      ['2:22 duplicate_method'],
    ],
    [
      'a method in one place, and the same with options in another',
      `${HEAD}action: {mask: true, mask_type: partial}\nmasking: {default_method: {method: partial, prefix: 1}}\n`,
      ['2:22 duplicate_method'],
    ],
    [
      'options of partial on a hash',
      `${HEAD}action: {mask: true}\nmasking: {default_method: {method: hash, prefix: 2}}\n`,
      ['3:42 mask_options'],
    ],
    [
      'a partial that would show short texts whole',
      `${HEAD}action: {mask: true}\nmasking: {rules: {a: {method: partial, suffix: 4, min_length: 7}}}\n`,
      ['3:63 mask_options'],
    ],
    ['a fraction of priority', `${HEAD}priority: 1.5\n${ALLOW}`, ['2:11 bad_type']],
    ['an empty list of fields', `${HEAD}match: {fields: {any: []}}\n${ALLOW}`, ['2:23 bad_value']],
    ['fields without a key', `${HEAD}match: {fields: {}}\n${ALLOW}`, ['2:17 bad_value']],
    [
      'an unknown sensitivity',
      `${HEAD}match: {fields: {sensitivity: hihg}}\n${ALLOW}`,
      ['2:31 bad_value'],
    ],
    ['null for a value', `${HEAD}match: {dataset: null}\n${ALLOW}`, ['2:18 bad_type']],
    [
      'an unknown operator',
      `${HEAD}context: {purpose: {equals: x}}\n${ALLOW}`,
      ['2:21 unknown_key'],
    ],
    ['no operator', `${HEAD}context: {purpose: {}}\n${ALLOW}`, ['2:20 bad_value']],
    [
      'an order of regions',
      `${HEAD}context: {requester_region: {lt: US}}\n${ALLOW}`,
      ['2:30 bad_operator'],
    ],
    [
      'an unknown clearance',
      `${HEAD}context: {requester_clearance: {lte: mdium}}\n${ALLOW}`,
      ['2:38 unknown_clearance'],
    ],
    [
      'a level that is too high',
      `${HEAD}context: {requester_clearance: 5}\n${ALLOW}`,
      ['2:32 unknown_clearance'],
    ],
    [
      'an unknown reference',
      `${HEAD}context: {dataset_region: $region}\n${ALLOW}`,
      ['2:27 unknown_attribute'],
    ],
    [
      'a reference to itself',
      `${HEAD}context: {purpose: $purpose}\n${ALLOW}`,
      ['2:20 unknown_attribute'],
    ],
    [
      'a condition in two places',
      `${HEAD}context: {purpose: x}\nwhen: {purpose: y}\n${ALLOW}`,
      ['3:8 duplicate_condition'],
    ],
    [
      'an unknown time zone',
      `${HEAD}context: {time: {after: "09:00", timezone: Mars}}\n${ALLOW}`,
      ['2:44 unknown_timezone'],
    ],
    ['a time that is none', `${HEAD}context: {time: {after: "9am"}}\n${ALLOW}`, ['2:25 bad_value']],
    [
      'a window of no length',
      `${HEAD}context: {time: {after: "09:00", before: "09:00"}}\n${ALLOW}`,
      ['2:42 bad_time_window'],
    ],
    [
      'a window of a zone alone',
      `${HEAD}context: {time: {timezone: UTC}}\n${ALLOW}`,
      ['2:17 bad_time_window'],
    ],
    ['an unknown day', `${HEAD}context: {time: {days: [monday]}}\n${ALLOW}`, ['2:25 bad_value']],
    [
      'a ttl beyond all measure',
      `${HEAD}action: {allow: true, ttl: 99999999d}\n`,
      ['2:28 bad_duration'],
    ],
    ['a ttl of nothing', `${HEAD}action: {allow: true, ttl: 0}\n`, ['2:28 bad_value']],
    ['no rows at all', `${HEAD}action: {allow: true, max_rows: 0}\n`, ['2:33 bad_value']],
    ['a list', '- a\n', ['1:1 bad_type']],
    ['nothing', '', ['1:1 bad_type']],
  ])('is refused with %s', (_what, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  it.each([
    ['a custom tag', `${HEAD}match: !ruby/object {}\n${ALLOW}`],
    ['binary data', `${HEAD}description: !!binary aGk=\n${ALLOW}`],
    ['a merge key', `${HEAD}match: {<<: {dataset: x}}\n${ALLOW}`],
    ['__proto__', `${HEAD}match: {__proto__: {dataset: x}}\n${ALLOW}`],
    ['a second document', `${HEAD}${ALLOW}---\n${HEAD}${ALLOW}`],
    ['a key that stands twice', `${HEAD}${HEAD}${ALLOW}`],
    ['a key that is no text', `${HEAD}1: x\n${ALLOW}`],
    ['text that is no YAML', `${HEAD}match: {dataset: [x\n`],
    ['an alias inside of what it repeats', `${HEAD}match: &m {dataset: *m}\n${ALLOW}`],
    ['an alias to nothing', `${HEAD}match: *nowhere\n${ALLOW}`],
    [
      'too many aliases',
      `${HEAD}match: {dataset: [&x a, ${Array(40).fill('*x').join(', ')}]}\n${ALLOW}`,
    ],
    [
      'aliases that grow',
      `${HEAD}match:\n  a: &a [x, x, x]\n  b: &b [*a, *a, *a]\n  c: &c [*b, *b, *b]\n  d: &d [*c, *c, *c]\n  e: [*d, *d, *d]\n${ALLOW}`,
    ],
    [
      'more depth than any policy needs',
      `${HEAD}match: ${'['.repeat(60)}${']'.repeat(60)}\n${ALLOW}`,
    ],
    ['depth without end', '['.repeat(100_000)],
    ['more bytes than any policy needs', `${HEAD}description: ${'x'.repeat(300_000)}\n${ALLOW}`],
  ])('is refused with %s, at a line and a column', (_what, text) => {
    const { policy, problems } = parsePolicyFile(text, 'p.yaml');
    expect(policy).toBeNull();
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.length).toBeLessThanOrEqual(50);
    for (const problem of problems) {
      expect(problem).toMatchObject({
        file: 'p.yaml',
        line: expect.any(Number),
        column: expect.any(Number),
      });
    }
  });

  it('may repeat a part by an alias', () => {
    const text = `${HEAD}match: {dataset: &names [x, y], datasource: *names}\n${ALLOW}`;
    expect(parsePolicyFile(text, 'p.yaml').policy?.match).toEqual({
      dataset: ['x', 'y'],
      datasource: ['x', 'y'],
    });
  });

  it('knows the clearances that the project names', () => {
    const text = `${HEAD}context: {requester_clearance: secret}\n${ALLOW}`;
    expect(problemsOf(text)).toEqual(['2:32 unknown_clearance']);
    expect(problemsOf(text, ['public', 'secret'])).toEqual([]);
  });
});
