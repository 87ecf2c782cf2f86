import { verdictsOfViews } from './evaluate.js';
import type { Decision } from './model.js';
import { type ConditionPart, conditionPartsOf } from './policy-parts.js';
import type { PolicySet } from './policy-set.js';
import type { PreparedTest } from './policy-test-input.js';
import { touchedBy } from './touched.js';

/** How much of something the cases exercised. */
export interface CoverageOf<Missing> {
  exercised: number;
  total: number;
  /** Percent, rounded down; 100 where there is nothing to exercise. */
  share: number;
  unexercised: readonly Missing[];
}

export interface PolicyTestCoverage {
  policies: CoverageOf<{ policy_id: string }>;
  /** `seen` is what it was: `null` where no case came as far. */
  conditions: CoverageOf<{ policy_id: string; condition: string; seen: 'yes' | 'no' | null }>;
}

export interface CoverageRecorder {
  record(prepared: PreparedTest, decision: Decision): void;
  report(): PolicyTestCoverage;
}

/**
 * Counts what test cases exercise. A policy is exercised when it bore on a decision: it matched, or as a restriction held
 * for want of an attribute. A condition (one key of the context) is exercised when, on references that the policy is
 * about, it held in one case and did not hold in another; an undecided one did neither.
 */
export function coverageRecorder(set: PolicySet): CoverageRecorder {
  const parts = new Map(
    set.policies.map((compiled) => [
      compiled,
      conditionPartsOf(compiled, set).map((part) => ({ part, seen: new Set<'yes' | 'no'>() })),
    ]),
  );
  const held = new Set<string>();
  return {
    record({ set: given, input }, decision) {
      for (const { policyIds } of decision.references) for (const id of policyIds) held.add(id);
      const touched = touchedBy(input.references);
      for (const verdicts of verdictsOfViews(given, input)) {
        for (const { dataset: name, field } of input.references) {
          const dataset = given.datasets.get(name);
          if (dataset === undefined) continue;
          const { decide } = verdicts.of(dataset);
          for (const compiled of dataset.candidates(field)?.policies ?? []) {
            if (field !== null && !touched.touchesAll(compiled, name, field)) continue;
            for (const { part, seen } of parts.get(compiled) ?? []) {
              const { truth } = decide(part.alone);
              if (truth !== 'undecided') seen.add(truth);
            }
          }
        }
      }
    },
    report() {
      const ids = set.policies.map(({ policy }) => policy.id);
      const conditions = [...parts].flatMap(([{ policy }, list]) =>
        list.map(({ part, seen }) => ({ policy_id: policy.id, part, seen })),
      );
      const open = conditions.filter(({ seen }) => seen.size < 2);
      return {
        policies: coverageOf(
          ids.length,
          ids.filter((id) => !held.has(id)).map((policy_id) => ({ policy_id })),
        ),
        conditions: coverageOf(conditions.length, open.map(unexercised)),
      };
    },
  };
}

/** Whether both shares are at least this many percent. */
export function reaches({ policies, conditions }: PolicyTestCoverage, percent: number): boolean {
  return [policies, conditions].every(({ exercised, total }) => exercised * 100 >= percent * total);
}

function unexercised({
  policy_id,
  part,
  seen,
}: {
  policy_id: string;
  part: ConditionPart;
  seen: ReadonlySet<'yes' | 'no'>;
}) {
  const [once] = seen;
  return { policy_id, condition: part.name, seen: once ?? null };
}

function coverageOf<Missing>(total: number, missing: readonly Missing[]): CoverageOf<Missing> {
  const exercised = total - missing.length;
  const share = total === 0 ? 100 : Math.floor((exercised * 100) / total);
  return { exercised, total, share, unexercised: missing };
}
