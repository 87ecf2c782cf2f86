import type { VkitClient } from '../client/vkit-client.js';
import type { DatasetSchemaAnswer, DatasetsAnswer } from '../client/wire.js';
import { VkitError } from '../errors/index.js';
import { cleanAll } from './clean.js';
import type { Outcome } from './outcome.js';

/** Datasets that one answer lists, and of how many of them it has the fields. */
const DATASETS_MAX = 500;
const WITH_FIELDS_MAX = 25;
/** Schemas that are asked for at a time. */
const AT_ONCE = 5;
const FIELDS_MAX = 300;

export type Dataset = DatasetsAnswer['datasets'][number];
export type Field = DatasetSchemaAnswer['fields'][number];

/** What the requester may ask for: the datasets, and the fields of those that are asked about or of the first. */
export async function discover(
  { client }: { client: VkitClient },
  { dataset, environment }: { dataset?: string; environment?: string },
): Promise<Outcome> {
  const { datasets } = await client.listDatasets(environment === undefined ? {} : { environment });
  const asked = dataset?.toLowerCase();
  const named =
    asked === undefined ? datasets : datasets.filter(({ name }) => name.toLowerCase() === asked);
  if (asked !== undefined && named.length === 0) {
    throw new VkitError('not_found', 'There is no dataset of that name that you may know of.', {
      hint: 'Call vaultkit_discover without a dataset for those there are.',
    });
  }
  const listed = named.slice(0, DATASETS_MAX);
  const fields = await fieldsOf(client, listed.slice(0, WITH_FIELDS_MAX));
  const notes = [
    ...(listed.length < named.length ? [`Only ${listed.length} of ${named.length} are here.`] : []),
    ...(fields.length < listed.length
      ? ['For the fields of those without, name the dataset.']
      : []),
  ];
  return cleanAll({
    status: 'ok',
    datasets: listed.map((one, index) => {
      const known = fields[index];
      return known === undefined
        ? one
        : { ...one, field_count: known.length, fields: known.slice(0, FIELDS_MAX) };
    }),
    count: named.length,
    ...(notes.length === 0 ? {} : { note: notes.join(' ') }),
  });
}

/** The fields of each, a few at a time; none of a dataset that is gone by now. */
export async function fieldsOf(
  client: VkitClient,
  datasets: readonly Dataset[],
): Promise<readonly (readonly Field[])[]> {
  const found: (readonly Field[])[] = [];
  for (let start = 0; start < datasets.length; start += AT_ONCE) {
    const batch = datasets.slice(start, start + AT_ONCE).map(async ({ name }) => {
      try {
        return (await client.datasetSchema(name)).fields;
      } catch (error) {
        if (error instanceof VkitError && error.code === 'not_found') return [];
        throw error;
      }
    });
    found.push(...(await Promise.all(batch)));
  }
  return found;
}
