import { describe, expect, it } from 'vitest';
import type { EvaluationInput, Requester } from '../../src/policy/model.js';
import { compilePolicySet } from '../../src/policy/policy-set.js';
import { discoverable, fieldVisibility } from '../../src/policy/visibility.js';
import { bundleOf, policyOf, referenceOf, requesterOf } from './cases.js';

const AT = Date.parse('2026-03-02T12:00:00Z');

function setOf(...forms: unknown[]) {
  return compilePolicySet(bundleOf(forms.map(policyOf)));
}

function inputOf(read: string[], requester: Partial<Requester> = {}): EvaluationInput {
  return { requester: requesterOf(requester), references: read.map(referenceOf), at: AT };
}

describe('the visibility of fields', () => {
  it('is raw, masked, hidden or by approval, for every field of the registry', () => {
    const set = setOf(
      { id: 'open', match: { fields: { any: ['id', 'email', 'phone'] } }, action: { allow: true } },
      { id: 'm', match: { fields: { any: ['email', 'phone'] } }, action: { mask: true } },
      {
        id: 'ask',
        match: { fields: { any: ['phone', 'dob'] } },
        action: { require_approval: true, approver_role: 'dpo', lifts_mask: true, reason: 'Ask' },
      },
      { id: 'no', match: { fields: { any: ['ssn'] } }, action: { deny: true, reason: 'No' } },
    );
    expect([...fieldVisibility(set, inputOf(['customers']), 'customers')]).toEqual([
      ['dob', { state: 'approval', liftsMask: false }],
      ['email', { state: 'masked', mask: { method: 'full' } }],
      ['id', { state: 'raw' }],
      ['phone', { state: 'approval', mask: { method: 'full' }, liftsMask: true }],
      ['ssn', { state: 'hidden' }],
      ['user_id', { state: 'hidden' }],
    ]);
  });

  it('takes into account what the request touches beside the field', () => {
    const set = setOf(
      { id: 'open', action: { allow: true } },
      {
        id: 'no',
        match: { fields: { all: ['ssn', 'dob'] } },
        action: { deny: true, reason: 'No' },
      },
    );
    const alone = fieldVisibility(set, inputOf(['customers']), 'customers');
    const beside = fieldVisibility(set, inputOf(['customers.ssn']), 'customers');
    expect(alone.get('dob')).toEqual({ state: 'raw' });
    expect(beside.get('dob')).toEqual({ state: 'hidden' });
    expect(beside.get('id')).toEqual({ state: 'raw' });
  });

  it('is empty for a dataset that is not in the registry', () => {
    expect(fieldVisibility(setOf(), inputOf([]), 'secrets').size).toBe(0);
  });
});

describe('discovery', () => {
  const names = (set: ReturnType<typeof setOf>, input: EvaluationInput) =>
    discoverable(set, input).map(({ name, visibility }) => `${name} ${visibility}`);

  it('shows what a policy matches, whatever its action, and a mask counts as allow', () => {
    const set = setOf(
      { id: 'm', match: { dataset: 'customers' }, action: { mask: true } },
      { id: 'no', match: { dataset: 'payments' }, action: { deny: true, reason: 'No' } },
      {
        id: 'ask',
        match: { dataset: 'orders', fields: { any: ['id', 'total'] } },
        action: { require_approval: true, approver_role: 'dpo', reason: 'Ask' },
      },
    );
    expect(names(set, inputOf([]))).toEqual([
      'customers allow',
      'payments deny',
      'staging_db.sales.Orders require_approval',
    ]);
  });

  it('shows nothing for policies of other roles, nor for what holds only because it is undecided', () => {
    const set = setOf(
      {
        id: 'a',
        match: { dataset: 'customers' },
        context: { requester_role: 'x' },
        action: { allow: true },
      },
      {
        id: 'b',
        match: { dataset: 'payments' },
        context: { requester_region: 'US' },
        action: { deny: true, reason: 'No' },
      },
    );
    expect(names(set, inputOf([], { roles: ['y'] }))).toEqual([]);
  });

  it('shows an agent only what the person it acts for may discover too', () => {
    const set = setOf(
      {
        id: 'a',
        match: { dataset: ['customers', 'payments'] },
        context: { requester_role: 'ai_agent' },
        action: { allow: true },
      },
      {
        id: 'b',
        match: { dataset: 'customers' },
        context: { requester_role: 'analyst' },
        action: { require_approval: true, approver_role: 'dpo', reason: 'Ask' },
      },
    );
    const input = {
      ...inputOf([], { roles: ['ai_agent'] }),
      onBehalfOf: requesterOf({ roles: ['analyst'] }),
    };
    expect(names(set, input)).toEqual(['customers require_approval']);
  });

  it('tells where a dataset lives', () => {
    const [events] = discoverable(
      setOf({ id: 'a', match: { dataset: 'events' }, action: { allow: true } }),
      inputOf([]),
    );
    expect(events).toEqual({
      name: 'events',
      datasource: 'nowhere_db',
      environment: 'production',
      region: null,
      visibility: 'allow',
    });
  });
});
