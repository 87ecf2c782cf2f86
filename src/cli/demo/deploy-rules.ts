import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type App, openApp } from '../../app.js';
import { loadServerConfig } from '../../config/server-config.js';
import { commitProject } from '../../git/commit-project.js';
import { PROJECT_PATHS } from '../../project/paths.js';
import { buildBundle } from '../../services/build-bundle.js';
import { deployBundle } from '../../services/control/bundle-lifecycle.js';
import { generateKeys } from '../../services/generate-keys.js';
import type { Shop } from './open-shop.js';
import type { Page } from './page.js';
import { ADMIN_EMAIL, makePeople, newCall, type People } from './people.js';
import { told } from './told.js';

export interface BundleFacts {
  /** Of the commit the bundle was compiled from. */
  commit: string;
  policies: number;
  datasets: number;
  checksum: string;
  sequence: number;
  /** RFC 7638 thumbprint of the key that signed it. */
  key_id: string;
  version: string;
  state: string;
}

export interface Enforced {
  app: App;
  people: People;
  facts: BundleFacts;
}

/** Commits the project, compiles and signs its bundle, starts a server's services in this process and deploys to them. */
export async function deployRules(
  { root, context }: Shop,
  gitEnvironment: Readonly<Record<string, string>>,
): Promise<Enforced> {
  const folder = join(root, PROJECT_PATHS.keys);
  const key = await generateKeys({ folder, algorithm: 'EdDSA' });
  await commitProject({
    root,
    message: 'Rules for the shop',
    author: { name: 'vkit demo', email: 'demo@shop.test' },
    environment: gitEnvironment,
  });
  const { bundle, file } = await buildBundle({ root, keyFile: key.privateKeyFile });
  // Organisation, keys and folders stand in the project's vkit.server.yaml, as for `vkit serve`.
  const flags = { admin_email: ADMIN_EMAIL, log_level: 'silent' } as const;
  const config = await loadServerConfig({ cwd: root, environment: {}, flags });
  const app = await openApp({ config, cwd: root, variables: context.variables });
  try {
    const people = await makePeople(app);
    const document: unknown = JSON.parse(await readFile(file, 'utf8'));
    const options = { activate: true };
    const call = newCall();
    const { identity } = people.admin;
    const deployed = await deployBundle(app.context, identity, document, options, call);
    told(deployed.state === 'active', 'the bundle is active after its deployment');
    const { checksum, sequence, source } = bundle.bundle;
    told(deployed.checksum === checksum, 'what is active is what was compiled');
    return {
      app,
      people,
      facts: {
        commit: source.commit_sha,
        policies: bundle.policies.length,
        datasets: bundle.registry.datasets.length,
        checksum,
        sequence,
        key_id: key.id,
        version: deployed.version,
        state: deployed.state,
      },
    };
  } catch (error) {
    await app.close();
    throw error;
  }
}

const SHORT = 12;

export function tellBundle(facts: BundleFacts, page: Page): void {
  page.command('vkit keys generate');
  page.command('vkit policy bundle');
  page.command('vkit policy deploy');
  page.say(
    `Reviewed fields and rules become one signed bundle, made from a commit. The server enforces it, and nothing else; whatever no rule allows is denied.`,
  );
  page.blank();
  const line = (name: string, value: string) => `${page.colours.dim(name.padEnd(10))}${value}`;
  page.block([
    line('holds', `${facts.policies} policies, ${facts.datasets} datasets`),
    line('commit', facts.commit.slice(0, SHORT)),
    line('checksum', `sha256 ${facts.checksum.slice(0, SHORT)}…`),
    line('signed by', `key ${facts.key_id.slice(0, SHORT)}… (Ed25519)`),
    line('deployed', `${facts.version}, ${facts.state}`),
  ]);
}
