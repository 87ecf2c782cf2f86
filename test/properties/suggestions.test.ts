import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Aql } from '../../src/aql/model.js';
import type { RequestAnswer } from '../../src/client/wire.js';
import { evaluate } from '../../src/policy/evaluate.js';
import { nameOfReference } from '../../src/policy/name-of-reference.js';
import type { ActiveBundle } from '../../src/services/control/active-bundle.js';
import { type Identity, requesterOf } from '../../src/services/control/identity.js';
import { hasOutput, judge } from '../../src/services/control/judge.js';
import { narrowRequester } from '../../src/services/control/narrow.js';
import { type DeniedRequest, explainDenial } from '../../src/services/control/suggest-changes.js';
import { approve, ask } from '../helpers/ask.js';
import { type Governed, governed } from '../helpers/governed.js';
import { casesOfRun, seedOfRun } from '../helpers/property-runs.js';
import { shared } from '../helpers/shared.js';
import { sqliteShop } from '../helpers/shop.js';
import {
  activeOf,
  DATASETS,
  FIELDS,
  narrowings,
  policyTexts,
  queries,
  registryText,
  WHOLE,
} from '../services/suggestion-worlds.js';

const AT = Date.parse('2026-03-02T12:00:00Z');

const IDENTITY: Identity = {
  kind: 'user',
  id: 'usr_1',
  email: 'ana@acme.test',
  name: 'ana',
  roles: ['analyst', 'clerk'],
  clearance: 'high',
  region: 'EU',
  purposes: ['support'],
  datasources: null,
  onBehalfOf: null,
  ownerIds: [],
  sessionId: null,
};

const COLUMNS = FIELDS.filter((one) => one !== 'Email').map((one) => `${one} text`);
const SQL = DATASETS.filter((name) => !['customers', 'orders'].includes(name));

const world = shared(
  async (atTheEnd): Promise<{ g: Governed; token: string; dpo: string; cfo: string }> => {
    const drop = 'drop table customers; drop table orders;';
    const tables = [...SQL, 'customers', 'orders'].map(
      (name) => `create table ${name} (${COLUMNS});`,
    );
    const ground = await sqliteShop({ sql: drop + tables.join(''), registryText: WHOLE }, atTheEnd);
    const g = await governed(ground, {}, atTheEnd);
    const { roles, clearance, region, purposes } = IDENTITY;
    const account = { roles: [...roles], clearance, region, purposes: [...purposes] };
    return {
      g,
      token: await g.user({ email: 'ana@acme.test', ...account }),
      dpo: await g.user({ email: 'dpo@acme.test', roles: ['dpo'] }),
      cfo: await g.user({ email: 'cfo@acme.test', roles: ['cfo'] }),
    };
  },
);

const requests = fc
  .tuple(queries, narrowings)
  .map(([aql, named]) => ({ aql: aql as Aql, ...named }));

describe('what is suggested after a denial', () => {
  it('is granted, or waits, as promised, when the same requester submits it as it stands', async () => {
    const { g, token, dpo, cfo } = world();
    const seen = { granted: 0, pending: 0, metadata: 0, denied: 0 };
    const seed = seedOfRun();
    const cases = fc.tuple(policyTexts, fc.array(requests, { minLength: 12, maxLength: 12 }));
    const property = fc.asyncProperty(cases, async ([policies, bodies]) => {
      const deployed = await g.deploy(policies);
      expect([deployed.status, deployed.body]).toEqual([201, expect.anything()]);
      for (const { aql, ...more } of bodies) {
        const { status, body } = await ask(g, token, aql, more);
        if (status !== 200 || body.status !== 'denied') continue;
        seen.denied += 1;
        expect(body.details).toBeDefined();
        for (const one of body.details?.suggestions ?? []) {
          const { aql: changed, ...rest } = one.body;
          const again = await ask(g, token, changed as object, rest);
          if (one.metadata_required !== undefined) {
            expect(again.body).toMatchObject({
              type: 'metadata_required',
              details: { keys: one.metadata_required },
            });
            const metadata = Object.fromEntries(one.metadata_required.map((key) => [key, '4711']));
            const filled = await ask(g, token, changed as object, { ...rest, metadata });
            expect(filled.body.status).toBe('pending_approval');
            seen.metadata += 1;
            continue;
          }
          expect([one, again.status, again.body.status]).toEqual([one, 200, one.status]);
          if (one.status === 'granted') seen.granted += 1;
          else {
            seen.pending += 1;
            const roles = [
              ...new Set(again.body.approvals?.map(({ approver_role }) => approver_role)),
            ];
            expect(roles.sort()).toEqual(
              one.approvals?.map(({ approver_role }) => approver_role).sort(),
            );
            let last: RequestAnswer = again.body;
            for (const role of roles) {
              last = (await approve(g, role === 'dpo' ? dpo : cfo, last.request_id)).body;
            }
            expect(last.status).toBe('granted');
          }
        }
      }
    });
    await fc.assert(property, { seed, numRuns: casesOfRun(8) });
    // A property that never saw one of them would say nothing about it.
    expect(Math.min(seen.granted, seen.pending, seen.denied)).toBeGreaterThan(1);
  });

  it('does not differ between two registries that differ in what the requester may not know', () => {
    const seed = seedOfRun();
    let differed = 0;
    let suggested = 0;
    const property = fc.property(policyTexts, requests, (policies, request) => {
      const whole = activeOf(policies, WHOLE);
      const known = activeOf(policies, registryText(knownTo(whole)));
      if (known.bundle.registry.datasets.length === 0) return;
      const [one, other] = [whole, known].map((active) => deniedBy(active, request));
      // Where the answer itself is another (a name of two meanings, one of them hidden), what helps may be another too.
      if (!one || one !== other) return;
      const options = { identity: IDENTITY, at: AT, rowCap: 100 };
      const details = explainDenial(request, { ...options, active: whole });
      if (JSON.stringify(whole.bundle.registry) !== JSON.stringify(known.bundle.registry))
        differed += 1;
      suggested += details.suggestions.length;
      expect(details).toEqual(explainDenial(request, { ...options, active: known }));
    });
    fc.assert(property, { seed, numRuns: casesOfRun(400) });
    expect(Math.min(differed, suggested)).toBeGreaterThan(20);
  });
});

/** The part of the registry that is not denied to the requester by the default alone, whatever they say it is for. */
function knownTo({ policies, bundle }: ActiveBundle): Record<string, string[]> {
  const isKnown = (dataset: string, field: string | null) =>
    [{}, { purpose: 'support' }, { purpose: 'marketing' }].some((said) => {
      const references = [{ dataset, field }];
      const input = { requester: requesterOf(IDENTITY), ...said, at: AT, references };
      return evaluate(policies, input).references.every(
        ({ action, deniedByPolicy }) => action !== 'deny' || deniedByPolicy,
      );
    });
  const entries = bundle.registry.datasets
    .filter(({ name }) => isKnown(name, null))
    .map(({ name, fields }) => {
      const known = fields.map((one) => one.name).filter((field) => isKnown(name, field));
      return [name, known] as const;
    });
  return Object.fromEntries(
    entries.filter(([, fields]) => fields.length > 0).map(([name, fields]) => [name, [...fields]]),
  );
}

/** What the answer says of a denial by itself; null where the request is not denied. */
function deniedBy(active: ActiveBundle, request: DeniedRequest): string | null {
  const narrowing = narrowRequester(IDENTITY, request, active.policies.clearances);
  const purpose = request.purpose ?? null;
  const question = { aql: request.aql, narrowing, purpose, at: AT };
  const { decision, resolved } = judge(active, IDENTITY, question);
  if (decision.action !== 'deny') return hasOutput(resolved) ? null : 'unknown_field';
  const { denial, policy_id, references } = decision;
  const named = references.filter(({ deniedByPolicy }) => deniedByPolicy).map(nameOfReference);
  return JSON.stringify(denial === 'policy_denied' ? [policy_id, named] : [denial]);
}
