import { setImmediate as nextTurn } from 'node:timers/promises';
import { createCatalog } from '../../aql/catalog.js';
import { compareOutcomes, type RequestOutcome } from '../../bundle/compare/compare-outcomes.js';
import { DIRECTIONS, type MaskOutcome } from '../../bundle/compare/model.js';
import { type ParsedBundle, parseBundle } from '../../bundle/parse-bundle.js';
import { verifyBundle } from '../../bundle/verify-bundle.js';
import type {
  BundleRefusal,
  ReplayAnswer,
  ReplayBody,
  ReplayChange,
  ReplayedBundle,
} from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import { compilePolicySet } from '../../policy/policy-set.js';
import type { RequestRow } from '../../store/model.js';
import type { ActiveBundle } from './active-bundle.js';
import { auditEvent } from './audit-parts.js';
import { parseVersion, requireVersion } from './bundle-body.js';
import { checkBundle } from './check-bundle.js';
import type { CallMeta, ControlContext } from './context.js';
import { type Identity, loadIdentity, requireAdministrator } from './identity.js';
import { outcomeOf, type ReplayedOutcome } from './outcome-of.js';
import { readStoredBundle } from './read-stored-bundle.js';

const REQUESTS_DEFAULT = 1_000;
const PAGE = 200;
/** Requests decided in one turn of the process: others wait no longer than for these. */
const TURN = 10;
const EXAMPLES_MAX = 20;
/** Ways in which outcomes differ; beyond them they are counted and not listed. */
const CHANGES_MAX = 1_000;

export type Replay = (
  ctx: ControlContext,
  identity: Identity,
  body: ReplayBody,
  call: CallMeta,
) => Promise<ReplayAnswer>;

/**
 * Decides the organisation's latest requests again under two bundles, each for the moment it was made and with the present
 * attributes of who made it, and tells which would be decided differently, widening first. Nothing is stored but the record
 * that it was asked. One at a time, since it takes a processor: else `rate_limited`. Throws `bundle_invalid`,
 * `bundle_checksum` and `bundle_org`; what else would keep a bundle from being activated is told in the answer.
 */
export function createReplay(): Replay {
  let isBusy = false;
  return async (ctx, identity, body, call) => {
    requireAdministrator(identity, 'policy_admin', 'auditor');
    if (isBusy) {
      throw new VkitError(
        'rate_limited',
        'The server is deciding past requests for somebody else.',
        {
          hint: 'Wait until that is done.',
          details: { retry_after_seconds: 5 },
        },
      );
    }
    isBusy = true;
    try {
      return await replay(ctx, identity, body, call);
    } finally {
      isBusy = false;
    }
  };
}

async function replay(
  ctx: ControlContext,
  identity: Identity,
  { from, to, limit = REQUESTS_DEFAULT }: ReplayBody,
  call: CallMeta,
): Promise<ReplayAnswer> {
  const [before, after] = [await candidate(ctx, from), await candidate(ctx, to)];
  const groups = new Map<string, ReplayChange & { requests: string[]; requesters: string[] }>();
  const summary = { widening: 0, changed: 0, narrowing: 0, replayed: 0, skipped: 0 };
  let since: string | null = null;
  let truncated = false;
  for await (const row of latestRequests(ctx, limit + 1)) {
    if (summary.replayed + summary.skipped === limit) {
      truncated = true;
      break;
    }
    since = row.created_at;
    const requester = await loadIdentity(
      ctx.store,
      row.requester_kind,
      row.requester_id,
      ctx.now(),
    );
    if (!requester) {
      summary.skipped += 1;
      continue;
    }
    summary.replayed += 1;
    if (summary.replayed % TURN === 0) await nextTurn();
    const outcomes = {
      from: outcomeOf(ctx, before.active, requester, row),
      to: outcomeOf(ctx, after.active, requester, row),
    };
    const direction = compareOutcomes(outcomes.from.outcome, outcomes.to.outcome);
    if (direction === null) continue;
    summary[direction] += 1;
    add(groups, changeOf(direction, row, outcomes), row.id, requester.name);
  }
  const changes = [...groups.values()].sort(
    (a, b) =>
      DIRECTIONS.indexOf(a.direction) - DIRECTIONS.indexOf(b.direction) || b.count - a.count,
  );
  const event = auditEvent(ctx, 'policy.replayed', call, identity);
  await ctx.store.audit.append({
    ...event,
    metadata: {
      ...event.metadata,
      from_checksum: before.told.checksum,
      to_checksum: after.told.checksum,
      requests: summary.replayed,
    },
  });
  return {
    from: before.told,
    to: after.told,
    summary: { ...summary, since, truncated },
    changes,
    correlation_id: call.correlationId,
  };
}

type Outcomes = Record<'from' | 'to', ReplayedOutcome>;

function changeOf(
  direction: ReplayChange['direction'],
  row: RequestRow,
  { from, to }: Outcomes,
): Omit<ReplayChange, 'count' | 'requests' | 'requesters'> {
  return {
    direction,
    dataset: row.aql.source_table,
    from: withDifferingMasks(from.outcome, to.outcome),
    to: withDifferingMasks(to.outcome, from.outcome),
    policies: { from: from.policyId, to: to.policyId },
  };
}

/** Requests for other fields that change in the same way are one kind; of what the other denies, only masks are told. */
function withDifferingMasks(own: RequestOutcome, other: RequestOutcome): RequestOutcome {
  const differs = ([field, mask]: [string, MaskOutcome | null]) =>
    other.status === 'denied'
      ? mask !== null
      : JSON.stringify(mask) !== JSON.stringify(other.masks[field]);
  return { ...own, masks: Object.fromEntries(Object.entries(own.masks).filter(differs)) };
}

function add(
  groups: Map<string, ReplayChange & { requests: string[]; requesters: string[] }>,
  change: Omit<ReplayChange, 'count' | 'requests' | 'requesters'>,
  id: string,
  requester: string,
): void {
  const key = JSON.stringify(change);
  let group = groups.get(key);
  if (!group) {
    if (groups.size >= CHANGES_MAX) return;
    group = { ...change, count: 0, requests: [], requesters: [] };
    groups.set(key, group);
  }
  group.count += 1;
  if (group.requests.length < EXAMPLES_MAX) group.requests.push(id);
  if (group.requesters.length < EXAMPLES_MAX && !group.requesters.includes(requester))
    group.requesters.push(requester);
}

/** The newest first, a page at a time: nothing is locked meanwhile. */
async function* latestRequests(
  { store }: ControlContext,
  limit: number,
): AsyncGenerator<RequestRow, void, undefined> {
  let beforeId: string | undefined;
  for (let left = limit; left > 0; ) {
    const rows = await store.requests.list({
      limit: Math.min(PAGE, left),
      ...(beforeId === undefined ? {} : { beforeId }),
    });
    yield* rows;
    left -= rows.length;
    beforeId = rows.at(-1)?.id;
    if (rows.length < PAGE) return;
  }
}

interface Candidate {
  active: ActiveBundle;
  told: ReplayedBundle;
}

async function candidate(ctx: ControlContext, named: unknown): Promise<Candidate> {
  const parsed = typeof named === 'string' ? await stored(ctx, named) : uploaded(named);
  // Form, checksum and organisation: without them nothing it says can be believed.
  await verifyBundle(parsed, {
    trustedKeys: [],
    org: ctx.org,
    now: new Date(0),
    allowUnsigned: true,
    allowDirty: true,
  }).catch((error: unknown) => {
    const isSignature = error instanceof VkitError && error.code === 'bundle_signature';
    if (!isSignature) throw error;
  });
  const { bundle } = parsed;
  const { bundle_version, sequence, checksum } = bundle.bundle;
  return {
    active: {
      version: 0,
      epoch: 0,
      checksum,
      bundle,
      policies: compilePolicySet(bundle),
      catalog: createCatalog(bundle),
    },
    told: { bundle_version, sequence, checksum, refusal: await refusalNow(ctx, parsed) },
  };
}

async function refusalNow(
  ctx: ControlContext,
  parsed: ParsedBundle,
): Promise<BundleRefusal | null> {
  try {
    await checkBundle(ctx, parsed, ctx.now());
    return null;
  } catch (error) {
    if (!(error instanceof VkitError)) throw error;
    return { type: error.code, message: error.message };
  }
}

async function stored(ctx: ControlContext, name: string): Promise<ParsedBundle> {
  const { store } = ctx;
  const facts =
    name === 'active'
      ? await store.bundles.active()
      : await requireVersion(store, parseVersion(name));
  if (facts) return readStoredBundle(store, facts);
  throw new VkitError('not_found', 'No bundle is active, so everything is denied.', {
    hint: 'Name a version of vkit policy list, or deploy one: vkit policy deploy',
  });
}

function uploaded(document: unknown): ParsedBundle {
  const parsed = parseBundle(document);
  if (!('problems' in parsed)) return parsed;
  throw new VkitError('bundle_invalid', 'This is not a policy bundle.', {
    details: { problems: parsed.problems },
  });
}
