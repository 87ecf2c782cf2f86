import type { Registry, RegistryDataset, RegistryField } from '../schema/model.js';
import type { Bundle, BundleField } from './model.js';

/** The reviewed registry that a bundle was compiled from, as far as it says: descriptions and what is gone are not in it. */
export function registryOfBundle({ registry }: Pick<Bundle, 'registry'>): Registry {
  return new Map(
    registry.datasets.map(({ name, datasource, fields }): [string, RegistryDataset] => [
      name,
      { datasource, fields: new Map([...fields].sort(byPosition).map(entryOf)) },
    ]),
  );
}

/** In the order of the table, where the bundle knows it. */
function byPosition(a: BundleField, b: BundleField): number {
  const [one, other] = [a, b].map(({ position }) => position ?? Number.MAX_SAFE_INTEGER);
  return (one ?? 0) - (other ?? 0) || (a.name < b.name ? -1 : 1);
}

function entryOf(field: BundleField): [string, RegistryField] {
  const { name, type, sensitivity, category = 'internal', classification, tags = [] } = field;
  return [
    name,
    {
      type,
      sensitivity,
      category,
      tags,
      ...(classification === undefined ? {} : { classification }),
    },
  ];
}
