import { describe, expect, it } from 'vitest';
import { compareBundles } from '../../../src/bundle/compare/compare-bundles.js';
import type { Policy } from '../../../src/policy/model.js';
import { bundle, dataset, fieldLines, linesOf, ONE_FIELD, policy } from './bundles.js';

const ALL = '[everybody; production]';
const allow = policy('open', 'allow');
const deny = policy('closed', 'deny');

const mask = (
  method: NonNullable<Policy['masking']>['default_method'],
  rest: Partial<Policy> = {},
) => policy('hide', 'mask', { masking: { default_method: method }, ...rest });
const approval = (rest: Partial<NonNullable<Policy['approval']>>, more: Partial<Policy> = {}) =>
  policy('ask', 'require_approval', { approval: { approver_role: 'dpo', ...rest }, ...more });

describe('what goes from one action or mask to another', () => {
  const partial = (prefix: number, suffix: number, min_length?: number) =>
    mask({ method: 'partial', prefix, suffix, ...(min_length !== undefined && { min_length }) });

  it.each<[string, Policy[], Policy[], string]>([
    ['nothing opens', [], [allow], 'widening t.f: deny → allow'],
    ['an allow is denied', [allow], [allow, deny], 'narrowing t.f: allow → deny'],
    ['a mask is gone', [mask('full'), allow], [allow], 'widening t.f: mask full → allow'],
    ['a mask is milder', [mask('full')], [mask('hash')], 'widening t.f: mask full → mask hash'],
    [
      'a mask is stricter',
      [mask('hash')],
      [mask('nullify')],
      'narrowing t.f: mask hash → mask nullify',
    ],
    [
      'more is shown',
      [partial(1, 0, 6)],
      [partial(3, 0)],
      'widening t.f: mask partial (first 1, of 6 or more) → mask partial (first 3)',
    ],
    [
      'more of long texts is shown, and nothing of short ones',
      [partial(1, 0)],
      [partial(3, 0)],
      'changed t.f: mask partial (first 1) → mask partial (first 3)',
    ],
    [
      'shorter texts are shown',
      [partial(2, 0)],
      [partial(2, 0, 2)],
      'widening t.f: mask partial (first 2) → mask partial (first 2, of 2 or more)',
    ],
    [
      'another part is shown',
      [partial(2, 0)],
      [partial(0, 2)],
      'changed t.f: mask partial (first 2) → mask partial (first 0, last 2)',
    ],
    ['a denial can be asked for', [deny], [approval({})], 'widening t.f: deny → require_approval'],
    ['an approval is needed', [allow], [approval({})], 'narrowing t.f: allow → require_approval'],
    [
      'an approval for all becomes a mask for all',
      [approval({})],
      [mask('full')],
      'changed t.f: require_approval → mask full',
    ],
    [
      'an approval of what is masked is not needed',
      [approval({}), mask('full')],
      [mask('full')],
      'widening t.f: require_approval, then mask full → mask full',
    ],
    [
      'an approval lifts the mask',
      [approval({}), mask('full')],
      [approval({ lifts_mask: true }), mask('full')],
      'widening t.f: require_approval, then mask full → require_approval',
    ],
    [
      'fewer approve',
      [approval({ approvals: 2 })],
      [approval({})],
      'widening t.f: approved by 2 of dpo → dpo',
    ],
    [
      'another one approves',
      [approval({})],
      [approval({ approver_role: 'cfo' })],
      'changed t.f: approved by dpo → cfo',
    ],
    [
      'one more approves',
      [approval({})],
      [approval({}), { ...approval({ approver_role: 'cfo' }), id: 'too' }],
      'narrowing t.f: approved by dpo → cfo, dpo',
    ],
    [
      'metadata is not asked any more',
      [approval({ metadata_required: ['ticket'] })],
      [approval({})],
      'widening t.f: metadata ticket → none',
    ],
    [
      'a grant lasts longer',
      [policy('open', 'allow', { ttl_seconds: 900 })],
      [allow],
      'widening t.f: ttl 15m → 1h',
    ],
    [
      'rows are bounded',
      [allow],
      [policy('open', 'allow', { max_rows: 10 })],
      'narrowing t.f: rows without limit → 10',
    ],
    [
      'more rows',
      [policy('open', 'allow', { max_rows: 10 })],
      [policy('open', 'allow', { max_rows: 99 })],
      'widening t.f: rows 10 → 99',
    ],
    [
      'the end is not recorded',
      [policy('open', 'allow', { auto_revoke: true })],
      [allow],
      'widening t.f: auto_revoke yes → no',
    ],
  ])('%s', (_what, a, b, line) => {
    expect(fieldLines(bundle(a), bundle(b))).toEqual([`${line} ${ALL}`]);
  });

  it('says of a count what is open, and nothing of masks, which hide nothing of it', () => {
    const of = (a: Policy[], b: Policy[]) => linesOf(compareBundles(bundle(a), bundle(b)));
    expect(of([], [allow])).toContain(`widening t (count): deny → allow ${ALL}`);
    expect(of([mask('full')], [allow]).filter((line) => line.includes('(count)'))).toEqual([]);
  });

  it('lists what widens first, then what does both, then what narrows', () => {
    const datasets = [dataset('t', ['a', 'b', 'c'])];
    const on = (field: string, one: Policy) => ({
      ...one,
      id: `${one.id}_${field}`,
      match: { fields: { any: [field] } },
    });
    const a = [on('a', allow), on('b', partial(1, 0)), on('c', mask('full'))];
    const b = [on('a', mask('full')), on('b', partial(0, 1)), on('c', allow)];
    const found = compareBundles(bundle(a, datasets), bundle(b, datasets));
    const fields = found.changes.filter(({ field }) => field !== null);
    expect(fields.map(({ direction, field }) => [direction, field])).toEqual([
      ['widening', 'c'],
      ['changed', 'b'],
      ['narrowing', 'a'],
    ]);
    expect(found.summary).toMatchObject({ widening: 1, changed: 1, narrowing: 1, references: 4 });
    expect(fields[0]?.policies).toEqual({ from: ['hide_c'], to: ['open_c'] });
  });
});

describe('for whom it changes', () => {
  const byRole = (id: string, action: Policy['action'], role: string) =>
    policy(id, action, { when: { requester_role: role } });

  it('tells roles apart that a policy names, and all others', () => {
    const a = bundle([byRole('one', 'allow', 'analyst'), byRole('two', 'allow', 'engineer')]);
    expect(fieldLines(a, bundle([byRole('one', 'allow', 'analyst')]))).toEqual([
      'narrowing t.f: allow → deny [role engineer; production]',
    ]);
    expect(fieldLines(a, bundle([allow]))).toEqual([
      'widening t.f: deny → allow [role (any other); production]',
    ]);
  });

  it('finds that a deny is gone for who holds a role that is let in, too', () => {
    const open = byRole('open', 'allow', 'analyst');
    const closed = byRole('closed', 'deny', 'contractor');
    expect(fieldLines(bundle([open, closed]), bundle([open]))).toEqual([
      'widening t.f: deny → allow [role analyst + contractor; production]',
    ]);
  });

  it('finds that a mask for agents is gone for an agent with a role, though by itself it loses what the mask opened', () => {
    const open = byRole('open', 'allow', 'analyst');
    const hidden = { ...mask('full'), when: { requester_role: 'ai_agent' } };
    expect(fieldLines(bundle([open, hidden]), bundle([open]))).toEqual([
      'widening t.f: mask full → allow [role ai_agent + analyst; production]',
      'narrowing t.f: mask full → deny [role ai_agent; production]',
    ]);
  });

  it('finds what shows only for who holds three roles: two that a deny asks for, and one that is let in', () => {
    const both = policy('closed', 'deny', { when: { requester_role: { eq: 'b', in: ['c'] } } });
    expect(
      fieldLines(
        bundle([byRole('open', 'allow', 'a'), both]),
        bundle([byRole('open', 'allow', 'a')]),
      ),
    ).toEqual(['widening t.f: deny → allow [role a + b + c; production]']);
  });

  it('finds what shows only for who holds a role that each deny excepts, and one that is let in', () => {
    const except = (id: string, ...roles: string[]) =>
      policy(id, 'deny', { when: { requester_role: { nin: roles } } });
    const shared = [except('one', 'a'), except('two', 'b'), except('three', 'c', 'd')];
    const open = byRole('open', 'allow', 'e');
    expect(fieldLines(bundle(shared), bundle([...shared, open]))).toEqual([
      'widening t.f: deny → allow [role a + b + c + e; production]',
    ]);
  });

  it('finds that two partial masks together hid what one in their place shows', () => {
    const partial = (id: string, role: string, prefix: number) =>
      policy(id, 'mask', {
        when: { requester_role: role },
        masking: { default_method: { method: 'partial', prefix, min_length: 2 } },
      });
    const a = bundle([partial('one', 'x', 2), partial('two', 'y', 3)]);
    const b = bundle([partial('three', 'z', 1)]);
    expect(fieldLines(a, b)).toContain(
      'widening t.f: mask full → mask partial (first 1) [role x + y + z; production]',
    );
  });

  it('finds that a count is let in whose every field was closed by a role of its own', () => {
    const datasets = [dataset('t', ['f', 'g', 'h'])];
    const on = (field: string) =>
      policy(`closed_${field}`, 'deny', {
        match: { fields: { any: [field] } },
        when: { requester_role: `no_${field}` },
      });
    const fields = policy('fields', 'allow', { match: { fields: { any: ['f', 'g', 'h'] } } });
    const shared = [on('f'), on('g'), on('h'), fields];
    const found = compareBundles(
      bundle(shared, datasets),
      bundle([...shared, byRole('whole', 'allow', 'counter')], datasets),
    );
    expect(linesOf(found)).toEqual([
      'widening t (count): deny → allow [role counter + no_f + no_g + no_h; production]',
    ]);
  });

  it('says nothing of roles that are beside the point', () => {
    const noise = ['q', 'r', 's'].map((role) => byRole(`allow_${role}`, 'allow', role));
    const both = policy('closed', 'deny', { when: { requester_role: { eq: 'b', in: ['c'] } } });
    const found = fieldLines(bundle([...noise, both]), bundle(noise));
    expect(found).toEqual([
      'widening t.f: deny → allow [roles b + c + q, b + c + r, b + c + s; production]',
    ]);
  });

  it('tells a requester without any role apart where a policy asks whether there is one', () => {
    const a = bundle([policy('open', 'allow', { when: { requester_role: { present: true } } })]);
    expect(fieldLines(a, bundle([allow]))).toEqual([
      'widening t.f: deny → allow [role (none); production]',
    ]);
  });

  it('tells clearances apart only where a policy looks at them, one that is unknown among them', () => {
    const low = policy('low', 'deny', { when: { requester_clearance: { lte: 'low' } } });
    expect(fieldLines(bundle([allow]), bundle([allow, low]))).toEqual([
      'narrowing t.f: allow → deny [clearance low, unknown; production]',
    ]);
    const levels = { clearances: ['staff', 'board'] };
    const board = policy('open', 'allow', { when: { requester_clearance: 'board' } });
    expect(fieldLines(bundle([], ONE_FIELD, levels), bundle([board], ONE_FIELD, levels))).toEqual([
      'widening t.f: deny → allow [clearance board; production]',
    ]);
  });

  it('compares regions with that of the dataset, and finds what is moved', () => {
    const foreign = policy('foreign', 'deny', {
      when: { dataset_region: { neq: '$requester_region' } },
    });
    expect(fieldLines(bundle([allow]), bundle([allow, foreign]))).toEqual([
      'narrowing t.f: allow → deny [region (any other), unknown; production]',
    ]);
    const moved = bundle([allow, foreign], [dataset('t', ['f'], 'us')]);
    expect(fieldLines(bundle([allow, foreign]), moved)).toEqual([
      'widening t.f: deny → allow [region US; production → staging]',
      'narrowing t.f: allow → deny [region EU; production → staging]',
    ]);
  });

  it('tells datasets in other regions and environments apart that the same policies match', () => {
    const datasets = [dataset('t', ['f']), dataset('u', ['f'], 'us')];
    const inUs = policy('closed', 'deny', { when: { dataset_region: 'US' } });
    const inStaging = policy('closed', 'deny', { when: { environment: 'staging' } });
    for (const closed of [inUs, inStaging]) {
      expect(fieldLines(bundle([allow], datasets), bundle([allow, closed], datasets))).toEqual([
        'narrowing u.f: allow → deny [everybody; staging]',
      ]);
    }
  });

  it('tells a purpose that is assigned from one that is only said', () => {
    const support = policy('open', 'allow', { when: { purpose: 'support' } });
    const strict = policy('closed', 'deny', { when: { purpose: { in: ['ads', 'sales'] } } });
    expect(fieldLines(bundle([]), bundle([support]))).toEqual([
      'widening t.f: deny → allow [purpose support (assigned); production]',
    ]);
    expect(fieldLines(bundle([allow]), bundle([allow, strict]))).toEqual([
      'narrowing t.f: allow → deny [purpose ads, sales, none; production]',
    ]);
  });

  it('finds windows that are the same in winter and not in summer', () => {
    const open = (after: string, before: string, timezone: string) =>
      bundle([policy('open', 'allow', { when: { time: { after, before, timezone } } })]);
    expect(
      fieldLines(open('09:00', '17:00', 'Europe/Berlin'), open('08:00', '16:00', 'UTC')),
    ).toEqual([
      'widening t.f: deny → allow [at 08:00–16:00 UTC; production]',
      'narrowing t.f: allow → deny [at 09:00–17:00 Europe/Berlin; production]',
    ]);
    expect(fieldLines(open('09:00', '17:00', 'Asia/Tokyo'), open('00:00', '08:00', 'UTC'))).toEqual(
      [],
    );
  });

  it('decides days of a window, also one that spans midnight', () => {
    const open = (days: ('mon' | 'tue')[]) =>
      bundle([
        policy('open', 'allow', { when: { time: { after: '22:00', before: '06:00', days } } }),
      ]);
    expect(fieldLines(open(['mon']), open(['mon', 'tue']))).toEqual([
      'widening t.f: deny → allow [at 22:00–06:00 UTC, mon tue; production]',
    ]);
  });

  it('decides fields together where a policy names them together', () => {
    const datasets = [dataset('t', ['dob', 'ssn', 'zip'])];
    const both = policy('both', 'deny', { match: { fields: { all: ['ssn', 'DOB'] } } });
    const together = '[everybody; if dob and ssn are touched together; production]';
    expect(fieldLines(bundle([allow], datasets), bundle([allow, both], datasets))).toEqual([
      `narrowing t.dob: allow → deny ${together}`,
      `narrowing t.ssn: allow → deny ${together}`,
    ]);
  });

  it('says of a query what a policy on its dataset bounds, though it does not mask the field', () => {
    const hidden = mask('full', {
      max_rows: 5,
      masking: { default_method: 'full', except: ['f'] },
    });
    expect(fieldLines(bundle([allow]), bundle([allow, hidden]))).toEqual([
      `narrowing t.f: rows without limit → 5 ${ALL}`,
    ]);
  });
});

describe('what a bundle does not have, and what holds for all', () => {
  const two = [dataset('t', ['f', 'g']), dataset('u', ['f'])];

  it('takes a new field or dataset for denied before, and one that is gone for denied after', () => {
    const lines = [
      `t.g: deny → allow ${ALL}`,
      `u (count): deny → allow ${ALL}`,
      `u.f: deny → allow ${ALL}`,
    ];
    const found = compareBundles(bundle([allow]), bundle([allow], two));
    expect(linesOf(found)).toEqual(lines.map((line) => `widening ${line}`));
    expect(found).toMatchObject({
      fields: { added: [{ dataset: 't', field: 'g' }] },
      datasets: { added: ['u'] },
    });
    const gone = compareBundles(bundle([allow], two), bundle([allow]));
    expect(gone.summary).toMatchObject({ widening: 0, narrowing: 3 });
  });

  it('compares the default action, and one that names nobody to approve as a denial', () => {
    const by = (default_action: 'deny' | 'mask' | 'require_approval') =>
      bundle([], ONE_FIELD, { default_action });
    expect(fieldLines(by('deny'), by('mask'))).toEqual([`widening t.f: deny → mask full ${ALL}`]);
    const found = compareBundles(by('deny'), by('require_approval'));
    expect(found).toMatchObject({
      changes: [],
      default_action: { from: 'deny', to: 'require_approval' },
    });
  });

  it('compares a field again whose tags changed, by the policies that then match', () => {
    const pii = policy('pii', 'deny', { match: { fields: { contains: ['pii'] } } });
    const [table] = two as [ReturnType<typeof dataset>];
    const tagged = {
      ...table,
      fields: table.fields.map((one) => (one.name === 'g' ? { ...one, tags: ['pii'] } : one)),
    };
    expect(fieldLines(bundle([allow, pii], [table]), bundle([allow, pii], [tagged]))).toEqual([
      `narrowing t.g: allow → deny ${ALL}`,
    ]);
  });

  it('matches names of datasets in every form and by patterns, as evaluation does', () => {
    const datasets = [
      { ...dataset('eu.shop.Orders', ['f']), table: { schema: 'shop', name: 'Orders' } },
    ];
    for (const name of [
      'orders',
      'SHOP.orders',
      'eu.orders',
      'eu.shop.orders',
      'ord*',
      '*.orders',
    ]) {
      const b = bundle([policy('open', 'allow', { match: { dataset: name } })], datasets);
      expect(fieldLines(bundle([], datasets), b), name).toEqual([
        `widening eu.shop.Orders.f: deny → allow ${ALL}`,
      ]);
    }
    const other = bundle([policy('open', 'allow', { match: { dataset: 'xorders' } })], datasets);
    expect(fieldLines(bundle([], datasets), other)).toEqual([]);
  });

  it('names the policies of each dataset, also where another was decided alike before', () => {
    const on = (name: string) => policy(`open_${name}`, 'allow', { match: { dataset: name } });
    const datasets = [dataset('t', ['f']), dataset('u', ['f'])];
    const found = compareBundles(bundle([], datasets), bundle([on('u'), on('t')], datasets));
    expect(
      found.changes.filter(({ field }) => field !== null).map(({ policies }) => policies.to),
    ).toEqual([['open_t'], ['open_u']]);
  });

  it('says which policies differ in words only, with no decision changed', () => {
    const found = compareBundles(
      bundle([allow]),
      bundle([{ ...allow, description: 'new', priority: 5 }]),
    );
    expect(found).toMatchObject({
      changes: [],
      policies: { added: [], removed: [], changed: ['open'] },
    });
  });

  it('lists datasources, packs and clearances that differ', () => {
    const pack = { name: 'starter', version: '1.0.0', checksum: '' };
    const a = bundle([], ONE_FIELD, { installed_packs: [pack] });
    const b = bundle([], ONE_FIELD, {
      installed_packs: [{ ...pack, version: '2.0.0' }],
      clearances: ['x'],
    });
    const { datasources } = b.registry;
    const found = compareBundles(a, {
      ...b,
      registry: { ...b.registry, datasources: datasources.slice(0, 1) },
    });
    expect(found).toMatchObject({
      packs: { changed: ['starter'] },
      datasources: { removed: ['us'] },
      clearances: { from: [], to: ['x'] },
    });
  });
});

describe('what is too much to compare', () => {
  it('compares any number of roles that no condition tells apart, which hold nothing more together', () => {
    const roles = Array.from({ length: 400 }, (_, index) => `role_${index}`);
    const a = bundle([policy('open', 'allow', { when: { requester_role: roles } })]);
    const found = compareBundles(a, bundle([]));
    expect(linesOf(found)[0]).toMatch(/^narrowing t \(count\): allow → deny \[roles role_0, /);
    expect(found).toMatchObject({ truncated: false, summary: { narrowing: 2, not_compared: 0 } });
  });

  it('says that two roles at once were not compared, and compares one at a time', () => {
    const each = Array.from({ length: 400 }, (_, index) =>
      policy(`open_${index}`, 'allow', { when: { requester_role: `role_${index}` } }),
    );
    const found = compareBundles(bundle(each), bundle([]));
    expect(linesOf(found)[0]).toMatch(/^narrowing t \(count\): allow → deny \[roles role_0, /);
    expect(found).toMatchObject({
      truncated: true,
      summary: { narrowing: 2, not_compared: 2 },
      warnings: [expect.stringMatching(/one role at a time.*: t \(count\), t\.f\.$/)],
    });
  });

  it('says that more than two roles at once were not compared, though two were', () => {
    const refusals = Array.from({ length: 20 }, (_, index) =>
      policy(`closed_${index}`, 'deny', { when: { requester_role: { neq: `role_${index}` } } }),
    );
    const open = policy('open', 'allow', { when: { requester_role: 'analyst' } });
    const found = compareBundles(bundle(refusals), bundle([...refusals, open]));
    expect(found).toMatchObject({
      changes: [],
      truncated: true,
      summary: { not_compared: 2 },
      warnings: [expect.stringMatching(/two roles at once.*: t \(count\), t\.f\.$/)],
    });
  });

  it('says what was not compared at all', () => {
    const values = Array.from({ length: 250 }, (_, index) => `value_${index}`);
    const a = bundle([
      policy('open', 'allow', { when: { requester_role: values, requester_region: values } }),
    ]);
    expect(compareBundles(a, bundle([allow]))).toMatchObject({
      changes: [],
      truncated: true,
      summary: { not_compared: 2, cells_compared: 0 },
      warnings: [expect.stringMatching(/^Not compared, .*: t \(count\), t\.f\.$/)],
    });
  });
});
