import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bundle } from '../../src/bundle/model.js';
import { MASK_METHODS, type Mask } from '../../src/masking/model.js';
import { effectiveMasks } from '../../src/policy/combine-decisions.js';
import { evaluate } from '../../src/policy/evaluate.js';
import {
  ACTIONS,
  type Decision,
  type EvaluationInput,
  type Policy,
  type ReferenceDecision,
} from '../../src/policy/model.js';
import { compilePolicySet } from '../../src/policy/policy-set.js';
import { discoverable, fieldVisibility } from '../../src/policy/visibility.js';
import { bundleArbitrary, inputArbitrary, policyArbitrary } from '../policy/arbitraries.js';
import { naiveEvaluate } from '../policy/naive-evaluate.js';

const RUNS = { numRuns: 1_000 };

function decide(bundle: Bundle, input: EvaluationInput): Decision {
  return evaluate(compilePolicySet(bundle), input);
}

function plus(bundle: Bundle, policy: Policy): Bundle {
  return { ...bundle, policies: [...bundle.policies, { ...policy, id: 'added' }] };
}

/** What `after` opens that `before` did not, in words, on the references chosen; empty where it is as strict. */
function widenings(
  before: Decision,
  after: Decision,
  chosen: (one: ReferenceDecision) => boolean = () => true,
): string[] {
  return before.references.filter(chosen).flatMap((old) => {
    const name = `${old.dataset}.${old.field}`;
    const now = after.references.find(
      (one) => one.dataset === old.dataset && one.field === old.field,
    );
    if (now === undefined) return [`${name} is gone`];
    if (openness(now) > openness(old)) return [`${name}: ${old.action} became ${now.action}`];
    if (now.action === 'deny') return [];
    if (isMilder(now.mask, old.mask)) return [`${name}: the mask became milder`];
    const mildest = isMilder(approved(after, now), approved(before, old));
    return mildest ? [`${name}: the mask after the approval became milder`] : [];
  });
}

/** What of the bounds and approvals of the whole request became wider. */
function widerBounds(before: Decision, after: Decision): string[] {
  if (after.action === 'deny') return [];
  const asked = new Set(after.approvals.map((approval) => approval.policy_id));
  return [
    ...(after.ttl_seconds > before.ttl_seconds ? ['the ttl grew'] : []),
    ...((after.max_rows ?? Infinity) > (before.max_rows ?? Infinity) ? ['the rows grew'] : []),
    ...(before.approvals.some((one) => !asked.has(one.policy_id)) ? ['an approval is gone'] : []),
  ];
}

function allWidenings(before: Decision, after: Decision): string[] {
  return [...widenings(before, after), ...widerBounds(before, after)];
}

/** Masks are compared by themselves, so that masked is not stricter than raw here. */
function openness({ action }: ReferenceDecision): number {
  return ACTIONS.indexOf(action === 'allow' ? 'mask' : action);
}

function approved(decision: Decision, { dataset, field }: ReferenceDecision): Mask | undefined {
  const masks = effectiveMasks(decision, { approved: true });
  return masks.get(`${dataset}\0${field}`) ?? undefined;
}

function isMilder(now: Mask | undefined, before: Mask | undefined): boolean {
  if (before === undefined) return false;
  if (now === undefined) return true;
  return MASK_METHODS.indexOf(now.method) > MASK_METHODS.indexOf(before.method);
}

/** Tells whether a policy matches a reference already, decided: a dataset reference one that acts on it whole. */
function matchedBefore(bundle: Bundle, input: EvaluationInput) {
  const set = compilePolicySet(bundle);
  const wide = new Set(
    bundle.policies.filter((one) => one.match.fields === undefined).map((one) => one.id),
  );
  const { trace } = evaluate(set, { ...input, trace: true });
  const decided = new Set(
    trace?.filter((one) => one.matched === 'yes').map((one) => one.policy_id),
  );
  return ({ dataset, field, policyIds }: ReferenceDecision): boolean => {
    // By itself too: a policy may be decided for one dataset and undecided for another.
    const references = [{ dataset, field }];
    const own = evaluate(set, { ...input, references, trace: true }).trace;
    const here = new Set(own?.filter((one) => one.matched === 'yes').map((one) => one.policy_id));
    return policyIds.some(
      (id) => decided.has(id) && here.has(id) && (field !== null || wide.has(id)),
    );
  };
}

const WITHOUT_ATTRIBUTE: Record<string, (input: EvaluationInput) => EvaluationInput> = {
  clearance: (input) => ({ ...input, requester: { ...input.requester, clearance: null } }),
  region: (input) => ({ ...input, requester: { ...input.requester, region: null } }),
  purposes: (input) => ({ ...input, requester: { ...input.requester, purposes: [] } }),
  purpose: ({ purpose: _purpose, ...input }) => input,
  environment: (input) => input,
  dataset_region: (input) => input,
};

function withoutOfDatasource(bundle: Bundle, attribute: string): Bundle {
  const datasources = bundle.registry.datasources.map((source) => ({
    ...source,
    ...(attribute === 'environment' && { environment: '' }),
    ...(attribute === 'dataset_region' && { region: null }),
  }));
  return { ...bundle, registry: { ...bundle.registry, datasources } };
}

describe('a decision', () => {
  it('is what a second, naive reading of the rules says', () => {
    fc.assert(
      fc.property(bundleArbitrary, inputArbitrary, (bundle, input) => {
        const decision = decide(bundle, input);
        const naive = naiveEvaluate(bundle, input);
        const actionOf = new Map(bundle.policies.map((one) => [one.id, one.action]));
        const references = decision.references.map(
          ({ dataset, field, action, mask, policyIds }) => [
            `${dataset}/${field ?? ''}`,
            {
              action,
              mask: mask?.method === 'partial' ? `partial ${mask.prefix}` : (mask?.method ?? null),
              approvals: policyIds.filter((id) => actionOf.get(id) === 'require_approval').sort(),
            },
          ],
        );
        expect({
          action: decision.action,
          policyId: decision.policy_id,
          references: Object.fromEntries(references),
        }).toEqual(naive);
      }),
      RUNS,
    );
  });

  it('meets every action often enough for these properties to mean something', () => {
    const seen = new Map<string, number>();
    for (const [bundle, input] of fc.sample(fc.tuple(bundleArbitrary, inputArbitrary), 1_000)) {
      for (const { action } of decide(bundle, input).references) {
        seen.set(action, (seen.get(action) ?? 0) + 1);
      }
    }
    for (const action of ACTIONS) expect(seen.get(action) ?? 0).toBeGreaterThan(40);
  });

  it('is the same, byte for byte, whatever the order of policies and references', () => {
    fc.assert(
      fc.property(bundleArbitrary, inputArbitrary, (bundle, input) => {
        const traced = { ...input, trace: true };
        const reversed = [...input.references].reverse();
        const first = decide(bundle, traced);
        const second = decide(
          { ...bundle, policies: [...bundle.policies].reverse() },
          { ...traced, references: [...reversed, ...input.references] },
        );
        expect(JSON.stringify(second)).toBe(JSON.stringify(first));
      }),
      RUNS,
    );
  });

  it('is never widened by a further deny', () => {
    fc.assert(
      fc.property(
        bundleArbitrary,
        inputArbitrary,
        policyArbitrary(['deny']),
        (bundle, input, deny) => {
          const after = decide(plus(bundle, deny), input);
          expect(allWidenings(decide(bundle, input), after)).toEqual([]);
        },
      ),
      RUNS,
    );
  });

  it('is never widened by a further mask, or approval that lifts nothing, on what was matched', () => {
    const restriction = policyArbitrary(['mask', 'require_approval']).map((policy) => ({
      ...policy,
      ...(policy.approval && { approval: { ...policy.approval, lifts_mask: false } }),
    }));
    fc.assert(
      fc.property(bundleArbitrary, inputArbitrary, restriction, (bundle, given, policy) => {
        // Narrowed or on behalf, a reference can be matched in one view and not in the other.
        const { narrowing: _narrowing, onBehalfOf: _person, ...input } = given;
        const before = decide(bundle, input);
        const after = decide(plus(bundle, policy), input);
        const matched = matchedBefore(bundle, input);
        expect(widenings(before, after, matched)).toEqual([]);
        if (before.references.every(matched)) expect(widerBounds(before, after)).toEqual([]);
      }),
      RUNS,
    );
  });

  it('never gets more for a request that narrows itself', () => {
    fc.assert(
      fc.property(bundleArbitrary, inputArbitrary, (bundle, input) => {
        const { narrowing: _narrowing, ...whole } = input;
        expect(allWidenings(decide(bundle, whole), decide(bundle, input))).toEqual([]);
      }),
      RUNS,
    );
  });

  it('gives an agent no more than it gets by itself, or the person it acts for', () => {
    fc.assert(
      fc.property(bundleArbitrary, inputArbitrary, (bundle, input) => {
        const { narrowing: _narrowing, onBehalfOf: person, ...own } = input;
        fc.pre(person !== undefined);
        const both = decide(bundle, { ...own, onBehalfOf: person });
        expect(allWidenings(decide(bundle, own), both)).toEqual([]);
        expect(allWidenings(decide(bundle, { ...own, requester: person }), both)).toEqual([]);
      }),
      RUNS,
    );
  });

  it.each(Object.keys(WITHOUT_ATTRIBUTE))(
    'never gets more when %s becomes unknown',
    (attribute) => {
      fc.assert(
        fc.property(bundleArbitrary, inputArbitrary, (bundle, input) => {
          const less = WITHOUT_ATTRIBUTE[attribute]?.(input) ?? input;
          const after = decide(withoutOfDatasource(bundle, attribute), less);
          expect(allWidenings(decide(bundle, input), after)).toEqual([]);
        }),
        RUNS,
      );
    },
  );

  it('agrees with the visibility of each field', () => {
    const states = { deny: 'hidden', require_approval: 'approval', mask: 'masked', allow: 'raw' };
    fc.assert(
      fc.property(bundleArbitrary, inputArbitrary, (bundle, input) => {
        const set = compilePolicySet(bundle);
        for (const { dataset, field, action, unknown } of evaluate(set, input).references) {
          if (field === null || unknown) continue;
          expect(fieldVisibility(set, input, dataset).get(field)?.state).toBe(states[action]);
        }
      }),
      RUNS,
    );
  });
});

describe('discovery', () => {
  it('never shows a further dataset when an attribute becomes unknown', () => {
    fc.assert(
      fc.property(bundleArbitrary, inputArbitrary, (bundle, input) => {
        const set = compilePolicySet(bundle);
        const namesFor = (given: EvaluationInput) =>
          discoverable(set, given).map(({ name }) => name);
        const requester = { ...input.requester, region: null, clearance: null };
        const known = namesFor(input);
        expect(known).toEqual(expect.arrayContaining(namesFor({ ...input, requester })));
      }),
      RUNS,
    );
  });
});
