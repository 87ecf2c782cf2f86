import { describe, expect, it } from 'vitest';
import {
  combineStricter,
  effectiveMasks,
  referenceKey,
} from '../../src/policy/combine-decisions.js';
import { evaluate } from '../../src/policy/evaluate.js';
import type { Decision } from '../../src/policy/model.js';
import { compilePolicySet } from '../../src/policy/policy-set.js';
import { bundleOf, policyOf, referenceOf, requesterOf } from './cases.js';

const READ = ['customers', 'customers.email', 'customers.id'];
const OPEN = { id: 'open', action: { allow: true, ttl: '8h' } };
const HASH = {
  id: 'hash',
  match: { fields: { any: ['email'] } },
  action: { mask: true, mask_type: 'hash', ttl: '2h' },
};
const FULL = {
  id: 'full',
  match: { fields: { any: ['email'] } },
  action: { mask: true, mask_type: 'full' },
};
const ASK = {
  id: 'ask',
  match: { fields: { any: ['email'] } },
  action: { require_approval: true, approver_role: 'dpo', lifts_mask: true, reason: 'Ask' },
};
const NO = { id: 'no', match: { fields: { any: ['id'] } }, action: { deny: true, reason: 'No' } };

function decide(forms: unknown[], read: string[] = READ): Decision {
  return evaluate(compilePolicySet(bundleOf(forms.map(policyOf))), {
    requester: requesterOf(),
    references: read.map(referenceOf),
    at: 0,
  });
}

describe('the stricter of two decisions', () => {
  it('of a decision and itself is that decision', () => {
    for (const forms of [[OPEN], [OPEN, HASH], [OPEN, HASH, ASK], [OPEN, NO], []]) {
      const decision = decide(forms);
      expect(combineStricter(decision, decision)).toEqual(decision);
    }
  });

  it('takes the stricter mask and the smaller ttl of the two', () => {
    const both = combineStricter(decide([OPEN, HASH]), decide([OPEN, FULL]));
    expect(both).toMatchObject({
      action: 'mask',
      masks: { 'customers.email': { method: 'full' } },
      ttl_seconds: 7_200,
    });
  });

  it('denies what one of them denies, and says which policy does', () => {
    const both = combineStricter(decide([OPEN, HASH]), decide([OPEN, NO]));
    expect(both).toMatchObject({
      action: 'deny',
      denial: 'policy_denied',
      policy_id: 'no',
      reason: 'No',
      masks: {},
      denied_fields: ['customers.id'],
    });
  });

  it('denies a reference that only one of them knows', () => {
    const both = combineStricter(decide([OPEN], ['customers.id']), decide([OPEN]));
    expect(both.action).toBe('deny');
    expect(both.denied_fields).toEqual(['customers', 'customers.email']);
  });

  it('keeps a mask that one of them does not lift', () => {
    const lifting = decide([OPEN, HASH, ASK]);
    const email = referenceKey('customers', 'email');
    expect(effectiveMasks(lifting, { approved: true }).get(email)).toBeNull();
    const both = combineStricter(lifting, decide([OPEN, HASH]));
    expect(effectiveMasks(both, { approved: true }).get(email)).toEqual({ method: 'hash' });
  });
});

describe('the masks in effect', () => {
  it('leave out what is denied, and what still waits for an approval', () => {
    const decision = decide([OPEN, HASH, ASK, NO]);
    expect([...effectiveMasks(decision, { approved: false }).keys()]).toEqual([]);
    expect([...effectiveMasks(decision, { approved: true })]).toEqual([
      [referenceKey('customers', 'email'), null],
    ]);
  });

  it('name raw fields with null', () => {
    expect([...effectiveMasks(decide([OPEN, HASH]), { approved: false })]).toEqual([
      [referenceKey('customers', 'email'), { method: 'hash' }],
      [referenceKey('customers', 'id'), null],
    ]);
  });
});

describe('a policy set', () => {
  it('refuses a bundle that names a thing twice', () => {
    const bundle = bundleOf([policyOf(OPEN), policyOf(OPEN)]);
    expect(() => compilePolicySet(bundle)).toThrowError(
      expect.objectContaining({
        code: 'bundle_invalid',
        details: { problems: [{ code: 'duplicate', message: 'The policy open is there twice.' }] },
      }),
    );
  });
});
