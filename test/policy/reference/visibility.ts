import type { Bundle } from '../../../src/bundle/model.js';
import type { Mask } from '../../../src/masking/model.js';
import type { EvaluationInput, ReferenceDecision } from '../../../src/policy/model.js';
import type { DiscoverableDataset, FieldVisibility } from '../../../src/policy/visibility.js';
import { askersOf } from './askers.js';
import { appliesTo } from './opinion.js';
import { referenceEvaluate } from './reference-evaluate.js';

const SILENT = () => {};

/** What every field of a dataset is to the requester, "judged as if the request touched it beside its own references". */
export function referenceVisibility(
  bundle: Bundle,
  input: EvaluationInput,
  dataset: string,
): ReadonlyMap<string, FieldVisibility> {
  const found = bundle.registry.datasets.find((one) => one.name === dataset);
  const entries = (found?.fields ?? []).flatMap(({ name }): [string, FieldVisibility][] => {
    const references = [...input.references, { dataset, field: name }];
    const decision = referenceEvaluate(bundle, { ...input, references });
    const one = decision.references.find(
      (reference) => reference.dataset === dataset && reference.field === name,
    );
    return one ? [[name, visibilityOf(one)]] : [];
  });
  return new Map(entries);
}

function visibilityOf({ action, mask, liftsMask }: ReferenceDecision): FieldVisibility {
  if (action === 'deny') return { state: 'hidden' };
  if (action === 'require_approval') return { state: 'approval', ...(mask && { mask }), liftsMask };
  return mask ? { state: 'masked', mask } : { state: 'raw' };
}

/**
 * "Discovery shows what a policy matches decidedly. One that holds only because an attribute is unknown shows no name."
 * With `fields.all` it is as if all of them were touched.
 */
export function referenceDiscoverable(
  bundle: Bundle,
  input: EvaluationInput,
): readonly DiscoverableDataset[] {
  const found = bundle.registry.datasets.filter((dataset) => {
    const touched = dataset.fields.map((field) => ({ dataset: dataset.name, field: field.name }));
    const everything = bundle.policies.flatMap(({ match }) => match.fields?.all ?? []);
    const references = [
      ...touched,
      ...everything.map((field) => ({ dataset: dataset.name, field })),
    ];
    const question = { bundle, input: { ...input, references }, note: SILENT };
    return askersOf(bundle, input, SILENT).every((asker) =>
      bundle.policies.some((policy) =>
        [null, ...dataset.fields].some(
          (field) => appliesTo(question, asker, policy, dataset, field)?.truth === 'yes',
        ),
      ),
    );
  });
  return found
    .map(({ name, datasource }): DiscoverableDataset => {
      const source = bundle.registry.datasources.find((one) => one.name === datasource);
      const references = [{ dataset: name, field: null }];
      const { action } = referenceEvaluate(bundle, { ...input, references });
      return {
        name,
        datasource,
        environment: source?.environment || null,
        region: source?.region || null,
        visibility: action === 'mask' ? 'allow' : action,
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * What masks each field that may be read once every approval is given, or before any is; `null` is raw. "A field that
 * needs approval and is masked is still masked after the approval, unless every matching approval policy says
 * `lifts_mask`."
 */
export function referenceMasks(
  references: readonly ReferenceDecision[],
  approved: boolean,
): ReadonlyMap<string, Mask | null> {
  const masks = new Map<string, Mask | null>();
  for (const { dataset, field, action, mask, liftsMask } of references) {
    const waits = action === 'require_approval' && !approved;
    if (field === null || action === 'deny' || waits) continue;
    masks.set(`${dataset}\0${field}`, mask === undefined || liftsMask ? null : mask);
  }
  return masks;
}
