import { describe, expect, it } from 'vitest';
import type { Aql } from '../../src/aql/model.js';
import type { Identity } from '../../src/services/control/identity.js';
import { type DeniedRequest, explainDenial } from '../../src/services/control/suggest-changes.js';
import { activeOf, registryText } from './suggestion-worlds.js';

const REGISTRY = registryText({
  customers: ['id', 'email', 'ssn', 'dob', 'salary'],
  orders: ['id', 'customer_id', 'amount'],
  hidden: ['id'],
});

const POLICIES = [
  'id: clerks_read\nmatch: {dataset: customers, fields: {any: [id, email, dob]}}\ncontext: {requester_role: clerk}\naction: {allow: true}\n',
  'id: orders_read\nmatch: {dataset: orders}\naction: {allow: true}\n',
  'id: no_ssn\nmatch: {fields: {any: [ssn]}}\naction: {deny: true, reason: "Nobody needs it."}\n',
  'id: no_pair\nmatch: {fields: {all: [email, dob]}}\naction: {deny: true, reason: "Not together."}\n',
  'id: amounts_wait\nmatch: {fields: {any: [amount]}}\naction: {require_approval: true, approver_role: cfo, approval_metadata_required: [ticket], reason: "Ask."}\n',
];

const IDENTITY: Identity = {
  kind: 'user',
  id: 'usr_1',
  email: 'ana@acme.test',
  name: 'ana',
  roles: ['analyst', 'clerk'],
  clearance: 'low',
  region: null,
  purposes: [],
  datasources: null,
  onBehalfOf: null,
  ownerIds: [],
  sessionId: null,
};

const ACTIVE = activeOf(POLICIES, REGISTRY);

function explain(aql: Aql, more: Omit<DeniedRequest, 'aql'> = {}) {
  const options = { active: ACTIVE, identity: IDENTITY, at: 0, rowCap: 100 };
  const { fields, suggestions } = explainDenial({ aql, ...more }, options);
  return { fields, changes: suggestions.map(({ change }) => change), suggestions };
}

const customers = (columns: string[], more: Partial<Aql> = {}): Aql => {
  return { source_table: 'customers', columns, ...more };
};

describe('what is said after a denial', () => {
  it('names the fields, and leaves out what a policy denies', () => {
    const { fields, suggestions } = explain(customers(['id', 'ssn'], { limit: 5 }));
    expect(fields).toEqual(['ssn']);
    expect(suggestions).toEqual([
      {
        change: 'Leave out ssn.',
        without: ['ssn'],
        status: 'granted',
        body: { aql: { source_table: 'customers', columns: ['id'], limit: 5 } },
      },
    ]);
  });

  it('treats a field that is not there and one that only the default denies alike', () => {
    const said = (name: string) => {
      return JSON.stringify(explain(customers(['id', name]))).replaceAll(name, 'X');
    };
    expect(said('salary')).toBe(said('birthplace'));
    expect(said('salary')).toContain('Leave out X.');
  });

  it('spells a name as one that the requester may know, and as no other', () => {
    expect(explain(customers(['id', 'emial'])).changes).toEqual([
      'Write email for emial.',
      'Leave out emial.',
    ]);
    expect(explain(customers(['id', 'salaries'])).changes).toEqual(['Leave out salaries.']);
    expect(
      explain({ source_table: 'custmers', columns: ['custmers.id'] }).suggestions,
    ).toMatchObject([{ body: { aql: { source_table: 'customers', columns: ['id'] } } }]);
    expect(explain({ source_table: 'hiden', columns: ['id'] }).suggestions).toEqual([]);
  });

  it('leaves out one of two that are denied together', () => {
    expect(explain(customers(['id', 'email', 'dob'])).changes).toEqual([
      'Leave out email.',
      'Leave out dob.',
      'Leave out email, dob.',
    ]);
  });

  it('names a role that is held and was not named', () => {
    expect(explain(customers(['id']), { role: 'analyst', purpose: 'support' })).toMatchObject({
      changes: ['Act in your role clerk.'],
      suggestions: [{ status: 'granted', body: { role: 'clerk', purpose: 'support' } }],
    });
    expect(explain(customers(['id', 'ssn']), { role: 'analyst' }).changes).toEqual([
      'Act in your role clerk. Leave out ssn.',
    ]);
  });

  it('says who has to agree and what has to be said to them, and what passes without', () => {
    const { suggestions } = explain({ source_table: 'orders', columns: ['id', 'amount', 'total'] });
    expect(suggestions).toMatchObject([
      {
        change: 'Leave out total.',
        status: 'pending_approval',
        approvals: [{ approver_role: 'cfo', required: 1 }],
        metadata_required: ['ticket'],
      },
      { status: 'granted', without: ['total', 'amount'], body: { aql: { columns: ['id'] } } },
    ]);
  });

  it('leaves a condition out only as a last resort, and says what that means', () => {
    const filters = [{ operator: 'is_null' as const, field: 'ssn' }];
    expect(explain(customers(['id', 'ssn'], { filters })).changes).toEqual([
      'Leave out ssn. Its conditions go too, so that the answer has other rows.',
    ]);
  });

  it('offers nothing where nothing near the query passes', () => {
    expect(explain(customers(['ssn'])).suggestions).toEqual([]);
    const join = {
      type: 'INNER' as const,
      table: 'orders',
      left_field: 'ssn',
      right_field: 'orders.id',
    };
    expect(explain(customers(['email'], { joins: [join] })).suggestions).toEqual([]);
  });

  it('takes no longer for a query of the largest size than a few milliseconds a name', () => {
    const names = Array.from({ length: 500 }, (_, index) => `field_${index}`);
    const startedAt = performance.now();
    expect(explain(customers(['id', ...names])).fields).toEqual([]);
    explain(customers(['id', ...names.slice(0, 190)]));
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
