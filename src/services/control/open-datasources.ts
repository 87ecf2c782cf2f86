import type { ActiveBundle } from './active-bundle.js';
import type { Identity } from './identity.js';

/** What each bundle is to those who are kept to some of its datasources, by the names of these. */
const narrowed = new WeakMap<ActiveBundle, Map<string, ActiveBundle>>();

/** Combinations of datasources that are kept ready: as many as agents are given. */
const KEPT_MAX = 1_000;

/**
 * The bundle as an identity may know it: whoever is kept to some datasources finds no dataset of any other, by no name and
 * no policy, as if it were not registered.
 */
export function bundleFor(
  active: ActiveBundle,
  { datasources }: Pick<Identity, 'datasources'>,
): ActiveBundle {
  if (datasources === null) return active;
  let known = narrowed.get(active);
  if (!known || known.size >= KEPT_MAX) {
    known = new Map();
    narrowed.set(active, known);
  }
  const key = JSON.stringify([...datasources].sort());
  const found = known.get(key) ?? narrow(active, new Set(datasources));
  known.set(key, found);
  return found;
}

function narrow(active: ActiveBundle, open: ReadonlySet<string>): ActiveBundle {
  const { policies, catalog } = active;
  const datasets = [...policies.datasets].filter(([, { datasource }]) => open.has(datasource));
  return {
    ...active,
    policies: { ...policies, datasets: new Map(datasets) },
    catalog: {
      dataset(name) {
        const found = catalog.dataset(name);
        return found && open.has(found.datasource) ? found : undefined;
      },
    },
  };
}
