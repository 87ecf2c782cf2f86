import { describe, expect, it } from 'vitest';
import { normaliseBundlePolicy } from '../../src/policy/normalise-bundle-policy.js';
import { caseFiles, policyOf } from './cases.js';

describe('a policy of a bundle', () => {
  it('of our own is what it was', () => {
    const policies = caseFiles()
      .flatMap(({ cases }) => cases)
      .filter((one) => one.clearances === undefined)
      .flatMap((one) => one.policies ?? [])
      .map(policyOf);
    expect(policies.length).toBeGreaterThan(100);
    for (const policy of policies) {
      const written: unknown = JSON.parse(JSON.stringify(policy));
      expect(normaliseBundlePolicy(written)).toEqual({ policy, problems: [] });
    }
  });

  it('of another tool may write its ttl as text and leave much away', () => {
    const value = { id: 'a', action: 'allow', match: { dataset: 'x' }, ttl_seconds: '4h' };
    expect(normaliseBundlePolicy(value).policy).toEqual({
      id: 'a',
      match: { dataset: 'x' },
      when: {},
      action: 'allow',
      ttl_seconds: 14_400,
      priority: 0,
    });
  });

  it('of another tool may have its action as a map, and null for what is absent', () => {
    const value = {
      id: 'a',
      description: null,
      match: { dataset: ':x', fields: null },
      when: null,
      action: { deny: true },
      masking: null,
      approval: null,
      priority: null,
    };
    expect(normaliseBundlePolicy(value).policy).toEqual({
      id: 'a',
      match: { dataset: 'x' },
      when: {},
      action: 'deny',
      priority: 0,
    });
  });

  it.each([
    ['a longer ttl', { ttl: 86_400 }],
    ['more rows', { max_rows: 9 }],
    ['a field that a mask excepts', { mask_except: ['ssn'] }],
    ['a milder mask', { mask_type: 'partial' }],
  ])('may not bring %s by its approval', (_what, more) => {
    const approval = { approver_role: 'm', ...more };
    const value = { id: 'a', action: 'mask', match: {}, ttl_seconds: 60, max_rows: 1, approval };
    const { policy, problems } = normaliseBundlePolicy(value);
    expect(policy).toBeNull();
    expect(problems.map(({ code }) => code)).toEqual(['unknown_key']);
  });

  it.each([{ requester_role: null }, { requester_clearance: { gte: null, neq: 'low' } }])(
    'may not have a condition on nothing: %j',
    (when) => {
      const { policy } = normaliseBundlePolicy({ id: 'a', action: 'allow', match: {}, when });
      expect(policy).toBeNull();
    },
  );

  it('may carry an approval beside another action, which has no effect', () => {
    const approval = { approver_role: 'boss', approvals: 2, lifts_mask: true };
    expect(normaliseBundlePolicy({ id: 'a', action: 'mask', approval })).toEqual({
      policy: {
        id: 'a',
        match: {},
        when: {},
        action: 'mask',
        masking: { default_method: 'full' },
        priority: 0,
      },
      problems: [],
    });
  });

  it('masks in full where it names no method', () => {
    const { policy } = normaliseBundlePolicy({ id: 'a', action: 'mask' });
    expect(policy?.masking).toEqual({ default_method: 'full' });
  });

  it.each([
    [
      'an unknown key, which may be a restriction',
      { id: 'a', action: 'allow', only_on: 'monday' },
      ['/only_on'],
    ],
    ['an unknown action', { id: 'a', action: 'maybe' }, ['/action']],
    ['an unknown attribute', { id: 'a', action: 'allow', when: { mood: 'good' } }, ['/when/mood']],
    [
      'an unknown key of its approval',
      {
        id: 'a',
        action: 'require_approval',
        reason: 'x',
        approval: { approver_role: 'y', quorum: 2 },
      },
      ['/approval/quorum'],
    ],
    ['an approval by nobody', { id: 'a', action: 'require_approval', reason: 'x' }, ['/action']],
    ['a ttl that is none', { id: 'a', action: 'allow', ttl_seconds: 'soon' }, ['/ttl_seconds']],
    ['a masking of another kind', { id: 'a', action: 'mask', masking: 'hash' }, ['/masking']],
    ['an approval of another kind', { id: 'a', action: 'allow', approval: true }, ['/approval']],
    [
      'a masking beside an allow',
      { id: 'a', action: 'allow', masking: { default_method: 'hash' } },
      ['/masking'],
    ],
    ['a text', 'deny', ['']],
  ])('is refused with %s', (_what, value, pointers) => {
    const { policy, problems } = normaliseBundlePolicy(value);
    expect(policy).toBeNull();
    expect(problems.map((problem) => problem.pointer)).toEqual(pointers);
  });
});
