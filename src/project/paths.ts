/** Where things are in a project, relative to its root and with `/`. */
export const PROJECT_PATHS = {
  settings: 'vkit.yaml',
  serverSettings: 'vkit.server.yaml',
  policies: 'config/policies',
  datasources: 'config/datasources',
  tests: 'config/tests',
  registryFolder: 'config',
  packsState: '.vkit/packs.yaml',
  keys: '.vkit/keys',
  bundle: 'dist/policy_bundle.json',
} as const;

/** The names of the baseline and its generated companion inside the registry folder. */
export const REGISTRY_FILE = 'registry.yaml';
export const REGISTRY_LOCK_FILE = 'registry.lock.json';
