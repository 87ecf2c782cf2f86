import type { Mask } from '../masking/model.js';
import { judgeAll, verdictsOfViews } from './evaluate.js';
import type { Judgement } from './judgement.js';
import type { EvaluationInput, Reference } from './model.js';
import { compareText, type PolicySet } from './policy-set.js';
import type { Verdicts } from './verdicts.js';

/** What a requester would get of a field; `approval` with what masks it and whether an approval lifts that. */
export type FieldVisibility =
  | { state: 'raw' }
  | { state: 'masked'; mask: Mask }
  | { state: 'hidden' }
  | { state: 'approval'; mask?: Mask; liftsMask: boolean };

export interface DiscoverableDataset {
  name: string;
  datasource: string;
  environment: string | null;
  region: string | null;
  /** A masked dataset counts as `allow`. */
  visibility: 'allow' | 'require_approval' | 'deny';
}

/**
 * What every registered field of a dataset is to the requester, each judged as if the request touched it beside its own
 * references. Empty for a dataset that the registry does not hold. With several `fields.all` policies the fields together
 * may be decided more strictly than each by itself: what is asked in the end is evaluated as a whole.
 */
export function fieldVisibility(
  set: PolicySet,
  input: EvaluationInput,
  dataset: string,
): Map<string, FieldVisibility> {
  const views = verdictsOfViews(set, input);
  const names = [...(set.datasets.get(dataset)?.fields.keys() ?? [])];
  const references = names.map((field) => ({ dataset, field }));
  const judged = judgeAll(set, views, references, input.references);
  return new Map(
    judged.map(({ reference, judgement }) => [reference.field ?? '', visibilityOf(judgement)]),
  );
}

/**
 * The datasets that at least one policy matches for the requester in every view, whatever its action; sorted by name. A
 * policy that holds only because an attribute is unknown discovers nothing: not knowing never shows a name.
 */
export function discoverable(
  set: PolicySet,
  input: Omit<EvaluationInput, 'references' | 'trace'>,
): readonly DiscoverableDataset[] {
  const views = verdictsOfViews(set, { ...input, references: [] });
  const found: DiscoverableDataset[] = [];
  for (const dataset of set.datasets.values()) {
    if (!views.every((verdicts) => isMatched(set, verdicts, dataset.name))) continue;
    const { name, datasource, environment, region } = dataset;
    const reference: Reference = { dataset: name, field: null };
    const [judged] = judgeAll(set, views, [reference], [reference]);
    const action = judged?.judgement.action ?? 'deny';
    const visibility = action === 'mask' ? 'allow' : action;
    found.push({ name, datasource, environment, region, visibility });
  }
  return found.sort((a, b) => compareText(a.name, b.name));
}

function isMatched(set: PolicySet, verdicts: Verdicts, name: string): boolean {
  const dataset = set.datasets.get(name);
  if (dataset === undefined) return false;
  const { decide } = verdicts.of(dataset);
  return [null, ...dataset.fields.keys()].some((field) =>
    dataset.candidates(field)?.policies.some((compiled) => decide(compiled).truth === 'yes'),
  );
}

function visibilityOf({ action, mask, lifts }: Judgement): FieldVisibility {
  if (action === 'deny') return { state: 'hidden' };
  if (action === 'require_approval') {
    return { state: 'approval', ...(mask && { mask }), liftsMask: lifts };
  }
  return mask ? { state: 'masked', mask } : { state: 'raw' };
}
