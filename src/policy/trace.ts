import type { CompiledPolicy } from './compiled-policy.js';
import type { Judged } from './judge.js';
import type { Reference, TraceEntry } from './model.js';
import type { PolicySet } from './policy-set.js';
import { type Touched, touchedBy } from './touched.js';
import type { Verdicts } from './verdicts.js';

type Outcome = Pick<TraceEntry, 'matched' | 'because'>;

const ORDER: readonly TraceEntry['matched'][] = ['no', 'undecided', 'yes'];

/** Says for every policy of the set why it did or did not match, over all references and views at their best. */
export function traceOf(
  set: PolicySet,
  views: readonly Verdicts[],
  judged: readonly Judged[],
): readonly TraceEntry[] {
  const touched = touchedBy(judged.map(({ reference }) => reference));
  return set.policies.map((compiled) => {
    const head = { policy_id: compiled.policy.id, action: compiled.policy.action };
    const outcomes = judged.flatMap(({ reference }) => {
      const failure = matchFailure(set, compiled, reference, touched);
      if (failure !== null)
        return [{ depth: failure.depth, matched: 'no', because: failure.because } as const];
      return views.map((verdicts) => conditionOutcome(set, compiled, reference, verdicts));
    });
    const best = outcomes.reduce(better, {
      depth: -1,
      matched: 'no',
      because: 'nothing is touched',
    });
    const truths = judged.flatMap(({ judgement }) =>
      judgement.holds.filter((hold) => hold.compiled === compiled).map((hold) => hold.truth),
    );
    const held = truths.includes('yes') ? 'yes' : truths[0];
    if (held !== undefined && ORDER.indexOf(held) > ORDER.indexOf(best.matched)) {
      return { ...head, matched: held, because: 'decides the dataset through its fields' };
    }
    return { ...head, matched: best.matched, because: best.because };
  });
}

/** How far a policy came: of several that failed, the one that came furthest explains most. */
type Attempt = Outcome & { depth: number };

function better(a: Attempt, b: Attempt): Attempt {
  const difference = ORDER.indexOf(b.matched) - ORDER.indexOf(a.matched) || b.depth - a.depth;
  return difference > 0 ? b : a;
}

function matchFailure(
  set: PolicySet,
  compiled: CompiledPolicy,
  { dataset: name, field }: Reference,
  touched: Touched,
): { depth: number; because: string } | null {
  const dataset = set.datasets.get(name);
  const known = field === null ? undefined : dataset?.fields.get(field);
  if (dataset === undefined || (field !== null && known === undefined)) {
    return { depth: 0, because: 'the reference is not in the registry' };
  }
  const failure = compiled.match.datasetFailure(dataset);
  if (failure !== null) return { depth: 1, because: failure };
  if (known === undefined) {
    if (!compiled.match.hasFields) return null;
    return { depth: 2, because: 'match.fields: no field that it acts on is touched' };
  }
  const fieldFailure = compiled.match.fieldFailure(known);
  if (fieldFailure !== null) return { depth: 3, because: fieldFailure };
  if (compiled.excepts(known.name)) return { depth: 3, because: `mask_except: ${known.name}` };
  if (touched.touchesAll(compiled, name, known.name)) return null;
  return { depth: 4, because: 'match.fields.all: not all of these fields are touched' };
}

function conditionOutcome(
  set: PolicySet,
  compiled: CompiledPolicy,
  reference: Reference,
  verdicts: Verdicts,
): Attempt {
  const dataset = set.datasets.get(reference.dataset);
  if (!dataset) return { depth: 0, matched: 'no', because: 'the reference is not in the registry' };
  const { decide, because } = verdicts.of(dataset);
  return { depth: 5, matched: decide(compiled).truth, because: because(compiled) };
}
