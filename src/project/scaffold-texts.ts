/** The vkit.yaml of a new project, with every key explained. */
export function settingsText(org: string): string {
  return `# yaml-language-server: $schema=./node_modules/vkit/schemas/vkit.schema.json

# The organisation that bundles of this project are for. The server must be started with the same --org.
org: ${org}

# What happens to a field that no policy matches. Anything but deny opens what nobody has reviewed.
default_action: deny

# The roles that policies may name; another one is an error, so that a typing error cannot switch a policy off.
# The shipped packs use these.
roles: [admin, analyst, engineer, agent, ai_agent, security, data_owner, finance_manager]

# Clearances from lowest to highest, if yours are not these:
# clearances: [low, medium, high, admin]

# The name that bundles carry for this repository; without it, host and path of the Git remote "origin".
# repo: github.com/acme/policies
`;
}

/** The vkit.server.yaml of a new project: how `vkit serve` runs in its folder. */
export function serverSettingsText(org: string): string {
  return `# yaml-language-server: $schema=./node_modules/vkit/schemas/vkit.server.schema.json
# How "vkit serve" runs when it is started here. Environment variables and flags win over this file.

# As in vkit.yaml: a bundle of another organisation is refused.
org: ${org}

# Public keys that bundles may be signed with; "vkit keys generate" writes this one.
trusted_bundle_keys: [.vkit/keys/vkit_pub.pem]

# SQLite files of datasources are opened only below these folders.
file_directories: [.]

# Where the server keeps its state and its own keys; not in Git.
data_dir: .vkit/server
`;
}

/** What must never be in Git, and what is not worth being there. */
export function gitIgnoreText(): string {
  return `# Private keys and the state of a local vkit server
.vkit/keys/
.vkit/server/
*_priv.pem
# Databases: a project says where data is, it holds none
*.db
*.sqlite
*.sqlite3
# What a server says; at its first start it may say the administrator's password
*.log
# What vkit makes
.vkit/packs.journal.json
.vkit/.*.tmp
dist/
`;
}

/** Git must not change line ends on checkout: bundles and packs are compared with what was committed byte by byte. */
export function gitAttributesText(): string {
  return `# vkit compares these files byte by byte: Git leaves their line ends as they are
vkit.yaml -text
.vkit/packs.yaml -text
config/** -text
`;
}

/** A short introduction for whoever finds the project in a repository. */
export function projectReadme(): string {
  return `# Data access policies

This is a [vkit](https://www.npmjs.com/package/vkit) project: it says which fields of which databases people and AI agents
may read, and how they are masked.

| path | what |
|---|---|
| \`vkit.yaml\` | settings of the project as a whole |
| \`vkit.server.yaml\` | how \`vkit serve\` runs here |
| \`config/datasources/\` | one file per database, without secrets |
| \`config/registry.yaml\` | the reviewed tables and columns with their sensitivity; \`vkit scan ID --apply\` proposes changes |
| \`config/policies/\` | one policy per file; those named \`<pack>__…\` belong to a policy pack |
| \`config/tests/\` | what the policies are expected to decide |

| command | what it does |
|---|---|
| \`vkit keys generate\` | once: makes the key that signs bundles; it stays out of Git |
| \`vkit scan ID --apply\` | compares a database with the registry |
| \`vkit policy validate\` | shows every problem, with file and line |
| \`vkit policy bundle\` | compiles and signs, after a commit |
| \`vkit policy deploy\` | makes it what the server enforces |
`;
}
