import type { CompiledPolicy } from './compiled-policy.js';
import { verdictsOfViews } from './evaluate.js';
import type { EvaluationInput, Reference, TraceEntry } from './model.js';
import { conditionPartsOf, type FailedPart, failedParts } from './policy-parts.js';
import type { PolicySet } from './policy-set.js';
import { touchedBy } from './touched.js';

export interface ExplainedPolicy extends TraceEntry {
  /** Of what did not match: every part that failed, on the reference where the fewest did. Else empty. */
  failed: readonly FailedPart[];
  /** Exactly one thing failed. */
  near_miss: boolean;
}

/**
 * The trace of a decision with all that failed of each policy, in the order of the trace. An allow that is undecided did not
 * help, so what is unknown counts as failed. Requesters who act for somebody are explained in the view where more failed.
 */
export function explainPolicies(
  set: PolicySet,
  input: EvaluationInput,
  trace: readonly TraceEntry[],
): readonly ExplainedPolicy[] {
  const policies = new Map(set.policies.map((compiled) => [compiled.policy.id, compiled]));
  const failuresOf = failureFinder(set, input);
  return trace.map((entry) => {
    const compiled = policies.get(entry.policy_id);
    const helped =
      entry.matched === 'yes' || (entry.matched === 'undecided' && entry.action !== 'allow');
    const failed = helped || compiled === undefined ? [] : failuresOf(compiled);
    return { ...entry, failed, near_miss: failed.length === 1 };
  });
}

function failureFinder(
  set: PolicySet,
  input: EvaluationInput,
): (compiled: CompiledPolicy) => readonly FailedPart[] {
  const views = verdictsOfViews(set, input);
  const touched = touchedBy(input.references);
  const places = input.references.flatMap(({ dataset: name, field }: Reference) => {
    const dataset = set.datasets.get(name);
    if (dataset === undefined || (field !== null && !dataset.fields.has(field))) return [];
    return [{ dataset, field }];
  });
  const withFields = new Set(places.flatMap((one) => (one.field === null ? [] : [one.dataset])));
  return (compiled) => {
    const parts = conditionPartsOf(compiled, set);
    let fewest: readonly FailedPart[] | null = null;
    for (const place of places) {
      // What acts on fields did not fail for want of one where fields are touched.
      if (place.field === null && compiled.match.hasFields && withFields.has(place.dataset))
        continue;
      // Every view must let it match, so the one in which most fails is what stands in the way.
      const failed = views
        .map((verdicts) => failedParts(compiled, parts, place, { verdicts, touched }))
        .reduce((a, b) => (b.length > a.length ? b : a), []);
      if (fewest === null || failed.length < fewest.length) fewest = failed;
    }
    return fewest ?? [];
  };
}
