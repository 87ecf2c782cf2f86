import type { Catalog, CatalogDataset, CatalogField } from '../../aql/catalog.js';
import { evaluate } from '../../policy/evaluate.js';
import type { EvaluationInput } from '../../policy/model.js';
import { foldName } from '../../util/fold-name.js';
import type { ActiveBundle } from './active-bundle.js';
import { type Identity, requesterOf } from './identity.js';

export interface KnowableOptions {
  active: ActiveBundle;
  identity: Identity;
  /** Milliseconds since the epoch. */
  at: number;
}

/** Purposes of one's own under which a name may be known. */
const PURPOSES_MAX = 8;

/**
 * The registry as far as a requester may know it, with all attributes they have: what the default alone denies them is not
 * in it, so that a name looked up here cannot tell it from what there is not.
 */
export function knowableCatalog(
  { active, identity, at }: KnowableOptions,
  purpose: string | undefined,
): Catalog {
  const base = {
    requester: requesterOf(identity),
    ...(identity.onBehalfOf ? { onBehalfOf: identity.onBehalfOf.requester } : {}),
    at,
  };
  const said = purpose === undefined ? [] : [purpose];
  const inputs = [
    base,
    ...[...said, ...identity.purposes.slice(0, PURPOSES_MAX)].map((one) => {
      return { ...base, purpose: one };
    }),
  ];
  const answers = new Map<string, boolean>();
  const mayKnow = (dataset: string, field: string | null) => {
    const key = JSON.stringify([dataset, field]);
    const answer =
      answers.get(key) ?? inputs.some((input) => isKnowable(active, input, dataset, field));
    answers.set(key, answer);
    return answer;
  };
  return {
    dataset: (name) => {
      const dataset = active.catalog.dataset(name);
      return dataset && mayKnow(dataset.name, null) ? knowable(dataset, mayKnow) : undefined;
    },
  };
}

function isKnowable(
  active: ActiveBundle,
  input: Omit<EvaluationInput, 'references'>,
  dataset: string,
  field: string | null,
): boolean {
  const { references } = evaluate(active.policies, { ...input, references: [{ dataset, field }] });
  return references.every(({ action, deniedByPolicy }) => action !== 'deny' || deniedByPolicy);
}

function knowable(
  dataset: CatalogDataset,
  mayKnow: (dataset: string, field: string) => boolean,
): CatalogDataset {
  const isKnown = ({ name }: CatalogField) => mayKnow(dataset.name, name);
  const field = (name: string) => {
    const exact = dataset.fields.find((one) => one.name === name);
    if (exact && isKnown(exact)) return exact;
    const folded = foldName(name);
    const alike = dataset.fields.filter((one) => foldName(one.name) === folded && isKnown(one));
    return alike.length === 1 ? alike[0] : undefined;
  };
  return {
    ...dataset,
    field,
    labelled: (label) => {
      const found = dataset.labelled(label);
      return found && isKnown(found) ? found : undefined;
    },
  };
}
