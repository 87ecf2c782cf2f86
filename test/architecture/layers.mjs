// The layering of design.md as one table, and the dependency-cruiser rules that follow from it.

const GROUND = ['errors', 'util'];
const CORE = ['policy', 'bundle', 'aql', 'masking', 'schema', 'grants', 'audit'];
const ADAPTERS = [
  'engines',
  'packs',
  'project',
  'store',
  'vault',
  'git',
  'notify',
  'client',
  'audit/sinks',
];
const BELOW_SERVICES = [...ADAPTERS, ...CORE, ...GROUND];
const BELOW_EDGES = ['app.ts', 'services', 'config', ...BELOW_SERVICES];

/**
 * Which rooms of src/ a room may import, besides itself. A room that is not here may not exist.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const mayImport = {
  errors: ['util'],
  util: ['errors'],
  ...Object.fromEntries(CORE.map((room) => [room, [...CORE, ...GROUND]])),
  ...Object.fromEntries(ADAPTERS.map((room) => [room, [...CORE, ...GROUND]])),
  config: GROUND,
  services: BELOW_SERVICES,
  'app.ts': ['services', 'config', ...BELOW_SERVICES],
  server: BELOW_EDGES,
  mcp: BELOW_EDGES,
  cli: BELOW_EDGES,
  commands: ['cli', 'server', 'mcp', ...BELOW_EDGES],
  'index.ts': BELOW_EDGES,
};

/** Packages that only some rooms may import, each with the pattern of the files that may. */
const OWNERS = [
  {
    name: 'database-packages',
    packages: [
      'pg',
      'pg-cursor',
      'pg-protocol',
      'mysql2',
      'snowflake-sdk',
      '@google-cloud/bigquery',
      'google-auth-library',
    ],
    owners: [
      '^src/engines/[^/]+/(driver|child|sandbox)\\.ts$',
      '^src/store/',
      '^src/audit/sinks/postgres',
    ],
  },
  {
    name: 'sqlite',
    packages: ['@photostructure/sqlite', '(node:)?sqlite'],
    owners: ['^src/engines/sqlite/(driver|child|sandbox)\\.ts$', '^src/store/'],
  },
  { name: 'kysely', packages: ['kysely'], owners: ['^src/store/'] },
  { name: 'oclif', packages: ['@oclif/[^/]+'], owners: ['^src/(commands|cli)/'] },
  {
    name: 'terminal',
    packages: ['chalk', 'ora', 'cli-table3', '@inquirer/[^/]+'],
    owners: ['^src/cli/'],
  },
  {
    name: 'http-server',
    packages: ['fastify', '@fastify/[^/]+', 'typebox', 'pino'],
    owners: ['^src/server/'],
  },
  { name: 'metrics', packages: ['prom-client'], owners: ['^src/server/metrics\\.ts$'] },
  {
    name: 'tracing',
    packages: ['@opentelemetry/[^/]+'],
    owners: ['^src/server/tracing\\.ts$'],
  },
  { name: 'git', packages: ['simple-git'], owners: ['^src/git/'] },
  { name: 'mcp', packages: ['@modelcontextprotocol/[^/]+'], owners: ['^src/mcp/'] },
];

/** What of Node the core may use: computation, nothing that reads or waits. */
const PURE_MODULES = '^(node:)?(assert|buffer|crypto|util)$';

/** @returns {import('dependency-cruiser').IForbiddenRuleType[]} */
export function forbiddenRules() {
  return [
    ...Object.entries(mayImport).map(([room, allowed]) => layerRule(room, allowed)),
    ...OWNERS.map(ownerRule),
    rule('no-cycle', {}, { circular: true }),
    rule(
      'no-unlisted-folder',
      {},
      { path: '^src/', pathNot: roomPatterns(Object.keys(mayImport)) },
    ),
    rule(
      'driver-only-when-used',
      {},
      { path: '^src/engines/[^/]+/(driver|child|sandbox)\\.ts$', dynamic: false },
    ),
    rule(
      'engines-are-strangers',
      { path: '^src/engines/([^/]+)/' },
      { path: '^src/engines/[^/]+/', pathNot: '^src/engines/$1/' },
    ),
    rule(
      'core-is-pure',
      { path: roomPatterns(CORE), pathNot: '^src/audit/sinks/' },
      { dependencyTypes: ['core'], pathNot: PURE_MODULES },
    ),
    rule('resolvable', {}, { couldNotResolve: true }),
    rule(
      'no-development-package',
      { path: '^src/' },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: '@types/' },
    ),
  ];
}

/**
 * @param {string} room
 * @param {readonly string[]} allowed
 */
function layerRule(room, allowed) {
  const nested = Object.keys(mayImport).filter((other) => other.startsWith(`${room}/`));
  const outside = nested.filter((other) => !allowed.includes(other));
  return {
    ...rule(
      `layer-${room}`,
      { path: roomPatterns([room]), pathNot: roomPatterns(nested) },
      { path: '^src/', pathNot: roomPatterns([room, ...allowed], outside) },
    ),
    comment: `src/${room} may import only: ${allowed.join(', ')}.`,
  };
}

/** @param {{ name: string, packages: string[], owners: string[] }} entry */
function ownerRule({ name, packages, owners }) {
  return rule(
    `only-owner-${name}`,
    { path: '^src/', pathNot: owners },
    { path: `^(node_modules/)?(@types/)?(${packages.join('|')})(/|$)` },
  );
}

/**
 * Patterns of the files in rooms; of a folder, not those in its rooms that are named in `without`.
 * @param {readonly string[]} rooms
 * @param {readonly string[]} [without]
 * @returns {string[]}
 */
function roomPatterns(rooms, without = []) {
  return rooms.map((room) => {
    if (room.endsWith('.ts')) return `^src/${room.replace('.', '\\.')}$`;
    const nested = without.filter((other) => other.startsWith(`${room}/`));
    const skip = nested.map((other) => `(?!${other.slice(room.length + 1)}/)`).join('');
    return `^src/${room}/${skip}`;
  });
}

/**
 * @param {string} name
 * @param {object} from
 * @param {object} to
 */
function rule(name, from, to) {
  return { name, severity: /** @type {const} */ ('error'), from, to };
}
