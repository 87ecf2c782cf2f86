/** Where things are in a project, relative to its root and with `/`. */
export const PROJECT_PATHS = {
  settings: 'vkit.yaml',
  serverSettings: 'vkit.server.yaml',
  policies: 'config/policies',
  datasources: 'config/datasources',
  tests: 'config/tests',
  registryFolder: 'config',
  classifiers: 'config/classifiers.yaml',
  packsState: '.vkit/packs.yaml',
  keys: '.vkit/keys',
  bundle: 'dist/policy_bundle.json',
} as const;

/** The names of the baseline and its generated companion inside the registry folder. */
export const REGISTRY_FILE = 'registry.yaml';
export const REGISTRY_LOCK_FILE = 'registry.lock.json';
/** The folder beside them with one file for each datasource that is too large for the one file: `<id>.yaml`. */
export const REGISTRY_PARTS_FOLDER = 'registry';

/** What the baseline may be made of, in a registry folder: files, and the folder of its parts. */
export function registryPaths(registryDir: string = PROJECT_PATHS.registryFolder): string[] {
  return [REGISTRY_FILE, REGISTRY_PARTS_FOLDER, REGISTRY_LOCK_FILE].map((name) =>
    joinPath(registryDir, name),
  );
}

/** A path below a folder of the project; the folder may be the root, `.`. */
export function joinPath(folder: string, name: string): string {
  const trimmed = folder.replaceAll('\\', '/').replace(/\/+$/, '');
  return trimmed === '' || trimmed === '.' ? name : `${trimmed}/${name}`;
}
