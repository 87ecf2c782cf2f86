import type { ShownField } from './compile-match.js';
import type { CompiledPolicy } from './compiled-policy.js';
import { verdictsOfViews } from './evaluate.js';
import type { EvaluationInput, Reference, TraceEntry } from './model.js';
import { conditionPartsOf, type FailedPart, failedParts, withAllFields } from './policy-parts.js';
import type { PolicySet } from './policy-set.js';
import { touchedBy } from './touched.js';

export interface ExplainedPolicy extends TraceEntry {
  /** Of what did not match: every part that failed, on the reference where the fewest did, with all fields that failed it. Else empty. */
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
  const isJoin = new Set(places.map(({ dataset }) => dataset.name)).size > 1;
  return (compiled) => {
    const parts = conditionPartsOf(compiled, set);
    let fewest: { place: (typeof places)[number]; failed: readonly FailedPart[] } | null = null;
    for (const place of places) {
      // What acts on fields did not fail for want of one where fields are touched.
      if (place.field === null && compiled.match.hasFields && withFields.has(place.dataset))
        continue;
      // Every view must let it match, so the one in which most fails is what stands in the way.
      const failed = views
        .map((verdicts) => failedParts(compiled, parts, place, { verdicts, touched }))
        .reduce((a, b) => (b.length > a.length ? b : a), []);
      if (fewest === null || failed.length < fewest.failed.length) fewest = { place, failed };
    }
    if (fewest === null) return [];
    const { place, failed } = fewest;
    const isNamed = compiled.match.datasetFailure(place.dataset) === null;
    const fields = places.flatMap(({ dataset, field: name }): ShownField[] => {
      const field = name === null ? undefined : dataset.fields.get(name);
      // Of the datasets that the policy is about, where it is about one of those touched.
      const isAlike = isNamed
        ? compiled.match.datasetFailure(dataset) === null
        : dataset === place.dataset;
      if (field === undefined || !isAlike) return [];
      return [{ field, shown: isJoin ? `${dataset.name}.${field.name}` : field.name }];
    });
    return withAllFields(compiled, failed, fields);
  };
}
