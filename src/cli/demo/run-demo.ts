import type { Credentials } from '../../engines/contract.js';
import { VkitError } from '../../errors/index.js';
import { requireGit } from '../../git/commit-project.js';
import { type ApprovalFacts, askForApproval, tellApproval } from './ask-for-approval.js';
import { askTooMuch, type DenialFacts, tellDenial } from './ask-too-much.js';
import { type AuditFacts, checkAudit, tellAudit } from './check-audit.js';
import { type ComparisonFacts, compareRequesters, tellComparison } from './compare-requesters.js';
import { type BundleFacts, deployRules, type Enforced, tellBundle } from './deploy-rules.js';
import { installRules, type RulesFacts, tellRules } from './install-rules.js';
import {
  chooseTarget,
  openShop,
  type Shop,
  type ShopFacts,
  type Target,
  tellShop,
} from './open-shop.js';
import type { Page } from './page.js';
import { type ScanFacts, scanShop, tellScan } from './scan-shop.js';
import { tellBeginning } from './tell-ending.js';
import { inStep } from './told.js';
import { openWorkspace, type Workspace } from './workspace.js';

export interface DemoOptions {
  /** A server to tell the story on; absent: embedded SQLite. */
  url?: string;
  /** What the environment adds to the URL: a login that need not stand in it. */
  credentials: Credentials;
  /** An empty folder that keeps the project; absent: a temporary one, removed at the end. */
  keep?: string;
  /** All that Git gets to know of the environment. */
  gitEnvironment: Readonly<Record<string, string>>;
  /** Where it is told; null: nowhere, only the facts count. */
  page: Page | null;
  /** Aborting ends the story after the step that runs. */
  signal: AbortSignal;
}

/** Everything that came out, step by step. */
export interface DemoFacts {
  database: ShopFacts;
  scan: ScanFacts;
  rules: RulesFacts;
  bundle: BundleFacts;
  comparison: ComparisonFacts;
  denial: DenialFacts;
  approval: ApprovalFacts;
  audit: AuditFacts;
}

/** A story that was told to its end, with everything still open for `use`. */
export interface Told {
  facts: DemoFacts;
  enforced: Enforced;
  workspace: Workspace;
}

interface Opened {
  shop?: Shop;
  enforced?: Enforced;
}

/**
 * Tells the whole story, each step with the services that the commands call, and hands what stands to `use`. Whatever
 * happens, connections are closed, a schema that was made is dropped and a temporary folder removed. Throws the error of
 * the step that did not come out as told, named by the step; `interrupted` after the signal aborted.
 */
export async function runDemo<T>(
  options: DemoOptions,
  use: (told: Told) => Promise<T>,
): Promise<T> {
  const target = chooseTarget(options.url, options.credentials);
  await requireGit(options.gitEnvironment);
  const workspace = await openWorkspace(options.keep);
  const opened: Opened = {};
  try {
    if (options.page !== null) tellBeginning(options.page, target.schema === null);
    const facts = await tellAll(options, target, workspace.root, opened);
    const { enforced } = opened;
    if (enforced === undefined) throw new VkitError('internal', 'The demo has no server.');
    return await use({ facts, enforced, workspace });
  } finally {
    await opened.enforced?.app.close().finally(() => opened.shop?.sandbox.drop());
    if (opened.enforced === undefined) await opened.shop?.sandbox.drop();
    await workspace.close();
  }
}

async function tellAll(
  options: DemoOptions,
  target: Target,
  root: string,
  opened: Opened,
): Promise<DemoFacts> {
  const step = createSteps(options);
  const database = await step('A database', tellShop, async () => {
    const { shop, facts } = await openShop(root, target, new Date());
    opened.shop = shop;
    return facts;
  });
  const shop = present(opened.shop);
  const scan = await step('What is in there?', tellScan, () => scanShop(shop));
  const rules = await step('Who may see what?', tellRules, () => installRules(shop, new Date()));
  const bundle = await step('Signed, and enforced', tellBundle, async () => {
    opened.enforced = await deployRules(shop, options.gitEnvironment);
    return opened.enforced.facts;
  });
  const { app, people } = present(opened.enforced);
  const comparison = await step('The same query, two answers', tellComparison, () =>
    compareRequesters(app, people),
  );
  const denial = await step('A no, with its reason', tellDenial, () => askTooMuch(app, people));
  const approval = await step('A second pair of eyes', tellApproval, () =>
    askForApproval(app, people),
  );
  const audit = await step('A record of everything', tellAudit, () =>
    checkAudit(app, people, root),
  );
  return { database, scan, rules, bundle, comparison, denial, approval, audit };
}

/** Runs one step after the other: each is told when it came out as it was to. */
function createSteps({ page, signal }: DemoOptions) {
  let number = 0;
  return async <F>(
    title: string,
    tell: (facts: F, page: Page) => void,
    run: () => Promise<F>,
  ): Promise<F> => {
    number += 1;
    if (signal.aborted) throw new VkitError('interrupted', 'The demo was interrupted.');
    let facts: F;
    try {
      facts = await run();
    } catch (error) {
      throw inStep(number, title, error);
    }
    if (page !== null) {
      page.heading(number, title);
      tell(facts, page);
    }
    return facts;
  };
}

function present<T>(value: T | undefined): T {
  if (value === undefined)
    throw new VkitError('internal', 'A step of the demo left nothing behind.');
  return value;
}
