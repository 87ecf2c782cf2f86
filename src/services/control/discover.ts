import type { DatasetSchemaAnswer, DatasetsAnswer } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import { evaluate } from '../../policy/evaluate.js';
import type { EvaluationInput } from '../../policy/model.js';
import { discoverable, fieldVisibility } from '../../policy/visibility.js';
import type { ActiveBundle } from './active-bundle.js';
import type { CallMeta, ControlContext } from './context.js';
import { type Identity, requesterOf } from './identity.js';
import { type NamedAttributes, narrowRequester } from './narrow.js';
import { bundleFor } from './open-datasources.js';

export type DiscoverFilter = Pick<
  NamedAttributes,
  'environment' | 'dataset_region' | 'requester_region'
>;

/** The datasets at least one policy matches for this requester, whatever its action; empty without an active bundle. */
export async function discoverDatasets(
  ctx: ControlContext,
  identity: Identity,
  filter: DiscoverFilter,
  call: CallMeta,
): Promise<DatasetsAnswer> {
  const active = await activeFor(ctx, identity);
  if (!active) return { datasets: [], correlation_id: call.correlationId };
  const input = discoveryInput(ctx, active, identity, filter);
  const datasets = discoverable(active.policies, input).flatMap(({ name, visibility }) => {
    const found = datasetIn(active, name, filter);
    return found
      ? [{ name, datasource: found.name, environment: found.environment, visibility }]
      : [];
  });
  return { datasets, correlation_id: call.correlationId };
}

/** The fields of one dataset with what this requester may do with each; `not_found` for what they may not know of. */
export async function discoverSchema(
  ctx: ControlContext,
  identity: Identity,
  name: string,
  filter: DiscoverFilter,
  call: CallMeta,
): Promise<DatasetSchemaAnswer> {
  const active = await activeFor(ctx, identity);
  const dataset = active?.catalog.dataset(name);
  if (!active || !dataset) throw noSuchDataset(name);
  const input = discoveryInput(ctx, active, identity, filter);
  const source = datasetIn(active, dataset.name, filter);
  if (!source || !discoverable(active.policies, input).some((item) => item.name === dataset.name)) {
    throw noSuchDataset(name);
  }
  const visible = fieldVisibility(active.policies, input, dataset.name);
  const told = dataset.fields.filter(({ name: field }) =>
    mayKnow(active, input, dataset.name, field),
  );
  const fields = told.map((field) => {
    const state = visible.get(field.name) ?? { state: 'hidden' as const };
    return {
      name: field.name,
      type: field.type,
      visibility: VISIBILITY[state.state],
      masked: state.state === 'masked' || (state.state === 'approval' && state.mask !== undefined),
      sensitivity:
        active.policies.datasets.get(dataset.name)?.fields.get(field.name)?.sensitivity ?? 'high',
    };
  });
  return {
    dataset: dataset.name,
    datasource: source.name,
    fields,
    correlation_id: call.correlationId,
  };
}

async function activeFor(ctx: ControlContext, identity: Identity): Promise<ActiveBundle | null> {
  const active = await ctx.activeBundle(ctx.store);
  return active && bundleFor(active, identity);
}

/** What only the default denies is as unknown to the requester as what there is not. */
function mayKnow(
  active: ActiveBundle,
  input: EvaluationInput,
  dataset: string,
  field: string,
): boolean {
  const { references } = evaluate(active.policies, { ...input, references: [{ dataset, field }] });
  return references.every(({ action, deniedByPolicy }) => action !== 'deny' || deniedByPolicy);
}

const VISIBILITY = {
  raw: 'allow',
  masked: 'allow',
  approval: 'require_approval',
  hidden: 'deny',
} as const;

function discoveryInput(
  ctx: ControlContext,
  active: ActiveBundle,
  identity: Identity,
  filter: DiscoverFilter,
): EvaluationInput {
  const narrowing = narrowRequester(
    identity,
    { requester_region: filter.requester_region },
    active.policies.clearances,
  );
  return {
    requester: requesterOf(identity),
    ...(identity.onBehalfOf ? { onBehalfOf: identity.onBehalfOf.requester } : {}),
    narrowing,
    references: [],
    at: ctx.now(),
  };
}

function datasetIn(active: ActiveBundle, dataset: string, filter: DiscoverFilter) {
  const name = active.catalog.dataset(dataset)?.datasource;
  const source = active.bundle.registry.datasources.find((candidate) => candidate.name === name);
  if (!source) return null;
  if (filter.environment !== undefined && filter.environment !== source.environment) return null;
  if (filter.dataset_region !== undefined && filter.dataset_region !== source.region) return null;
  return source;
}

function noSuchDataset(name: string): VkitError {
  return new VkitError(
    'not_found',
    `There is no dataset ${name.slice(0, 128)} that you may know of.`,
  );
}
