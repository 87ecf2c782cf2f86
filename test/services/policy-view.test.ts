import { describe, expect, it } from 'vitest';
import type { Policy } from '../../src/policy/model.js';
import type { RegistryField } from '../../src/schema/model.js';
import { policyView } from '../../src/services/policy-view.js';

const policy = (id: string, over: Partial<Policy>): Policy => ({
  id,
  match: {},
  when: {},
  action: 'allow',
  priority: 0,
  ...over,
});
const EMAIL: RegistryField = {
  type: 'text',
  sensitivity: 'medium',
  category: 'pii',
  tags: ['contact'],
};
const effect = (policies: Policy[], dataset = 'customers', name = 'email') =>
  policyView(policies).effectOn(dataset, 'shop', name, EMAIL);

describe('what the policies would do with a field', () => {
  it('is the strictest action that matches, whatever the priorities', () => {
    const pii = { fields: { category: 'pii' } };
    const allow = policy('open', { priority: 9 });
    expect(effect([])).toBeNull();
    expect(effect([allow])).toBe('allowed by open');
    const mask = policy('mask_pii', { action: 'mask', match: pii });
    expect(effect([allow, mask])).toBe('masked by mask_pii');
    const approve = policy('ask', { action: 'require_approval', match: { dataset: 'CUST*' } });
    expect(effect([allow, mask, approve])).toBe('needs approval (ask)');
    expect(effect([allow, mask, approve, policy('no', { action: 'deny' })])).toBe('denied by no');
  });

  it('says when it holds for some only, and prefers what holds for everybody', () => {
    const some = policy('agents', {
      action: 'mask',
      priority: 9,
      when: { requester_role: 'ai_agent' },
    });
    expect(effect([some])).toBe('masked by agents in its context');
    expect(effect([some, policy('all', { action: 'mask' })])).toBe('masked by all');
  });

  it('prefers the mask that everybody gets to a denial of some requesters', () => {
    const region = policy('region', { action: 'deny', when: { requester_region: 'EU' } });
    const pii = policy('pii', { action: 'mask', match: { fields: { category: 'pii' } } });
    expect(effect([region, pii])).toBe('masked by pii');
    const asks = policy('asks', {
      action: 'require_approval',
      match: { fields: { category: 'pii' } },
      when: { requester_role: 'analyst' },
    });
    expect(effect([region, asks])).toBe('needs approval (asks) in its context');
    expect(effect([region])).toBe('denied by region in its context');
  });

  it('does not count what does not match or is excepted', () => {
    expect(effect([policy('a', { match: { datasource: 'crm' } })])).toBeNull();
    expect(effect([policy('a', { match: { fields: { contains: ['financial'] } } })])).toBeNull();
    expect(effect([policy('a', { action: 'mask', masking: { except: ['EMAIL'] } })])).toBeNull();
  });

  it('knows a dataset by its names without datasource and schema', () => {
    const named = policy('a', { match: { dataset: 'customers' } });
    for (const key of ['customers', 'shop.customers', 'sales.customers', 'shop.sales.customers']) {
      expect(effect([named], key)).toBe('allowed by a');
    }
  });
});

describe('what still names something that is gone', () => {
  const view = policyView([
    policy('contact_fields', { match: { fields: { any: ['fax'] } } }),
    policy('only_customers', { match: { dataset: ['customers', 'x*'] } }),
    policy('masks', { action: 'mask', masking: { rules: { FAX: 'full' } } }),
  ]);

  it('is said of a field and of a dataset', () => {
    expect(view.namedBy('customers', 'shop', 'fax')).toBe(
      'still named by policy contact_fields and 1 more',
    );
    expect(view.namedBy('customers', 'shop', 'phone')).toBeNull();
    expect(view.namedBy('shop.customers', 'shop')).toBe('still named by policy only_customers');
    expect(view.namedBy('xyz', 'shop')).toBeNull();
  });
});
