import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_PATHS } from '../../project/paths.js';
import { writeProjectFile } from '../../project/write-project.js';
import { addPack } from '../../services/add-pack.js';
import { shippedPacks, validateProject } from '../../services/validate-project.js';
import { packageRoot } from '../../util/package-root.js';
import type { Shop } from './open-shop.js';
import type { Page } from './page.js';
import { told } from './told.js';

/** What each says, in a line; its own description is longer. */
const PACKS = {
  starter: 'Mask personal data, ask a second person for what is highly sensitive.',
  ai_safety: 'Agents need a clearance, and see no personal, health or card data.',
} as const;

export interface RulesFacts {
  packs: readonly { name: string; version: string; policies: number; description: string }[];
  /** The shop's own policies. */
  own: readonly { id: string; file: string; description: string }[];
  /** All policies of the project, checked together. */
  policies: number;
  valid: boolean;
}

/** Installs two shipped packs, adds the shop's own policies, and validates them together. */
export async function installRules({ root }: Shop, now: Date): Promise<RulesFacts> {
  const shipped = await shippedPacks();
  const packs: RulesFacts['packs'][number][] = [];
  for (const reference of Object.keys(PACKS)) {
    const { installed } = await addPack({ root, reference, cwd: root, now });
    const { name, version, files } = installed;
    const { description = '' } =
      shipped.find(({ metadata }) => metadata.name === name)?.metadata ?? {};
    packs.push({ name, version, policies: files.length, description: description.trim() });
  }
  const own = await writeOwnPolicies(root);
  const result = await validateProject({ root });
  told(result.valid, 'every policy is valid');
  return { packs, own, policies: result.policies, valid: result.valid };
}

async function writeOwnPolicies(root: string): Promise<RulesFacts['own']> {
  const folder = join(packageRoot(), 'lib', 'demo', 'policies');
  const own: RulesFacts['own'][number][] = [];
  for (const name of (await readdir(folder)).sort().reverse()) {
    const text = await readFile(join(folder, name), 'utf8');
    const file = `${PROJECT_PATHS.policies}/${name}`;
    await writeProjectFile(root, file, text, true);
    const description = /^description: (.+)$/m.exec(text)?.[1] ?? '';
    own.push({ id: name.replace(/\.yaml$/, ''), file, description });
  }
  return own;
}

export function tellRules(facts: RulesFacts, page: Page): void {
  const { colours } = page;
  page.say('Rules are files too. Packs bring the usual ones:');
  page.blank();
  for (const { name, policies } of facts.packs) {
    page.command(`vkit policy pack add ${name}`);
    page.say(`${policies} policies. ${PACKS[name as keyof typeof PACKS]}`);
  }
  page.blank();
  page.say('The shop adds two of its own, in config/policies/:');
  page.blank();
  for (const { id, description } of facts.own) {
    page.block([colours.bold(id)]);
    page.say(description);
  }
}
