import { parseTimestamp } from '../../aql/parse-moment.js';
import type { ExplainAnswer, ExplainBody, Explanation } from '../../client/wire.js';
import { type Problem, VkitError } from '../../errors/index.js';
import type { StoreRepositories } from '../../store/model.js';
import {
  describedIdentity,
  type ExplainedQuery,
  explainFor,
  parseExplained,
} from '../explain-decision.js';
import type { ActiveBundle } from './active-bundle.js';
import { auditAqlHash, auditEvent, columnsRequested } from './audit-parts.js';
import { refusalOf } from './check-bundle.js';
import type { CallMeta, ControlContext } from './context.js';
import { type Identity, loadIdentity, requireAdministrator } from './identity.js';

/** The requester a decision is explained for. */
interface Subject {
  identity: Identity;
  purpose: string | null;
  /** False where it was described by its attributes. */
  isAccount: boolean;
}

/**
 * Explains what the active bundle decides about a query, for a requester who is described or for an account with the
 * attributes it has now, the person it acts for included. A trace tells what exists, so it is for those who may read the
 * policies; whoever asks, and for whom, is recorded before the answer leaves. Throws `forbidden`, `validation`, and
 * `not_found` for an account that may ask for nothing.
 */
export async function explainUnderActive(
  ctx: ControlContext,
  identity: Identity,
  body: ExplainBody,
  call: CallMeta,
): Promise<ExplainAnswer> {
  requireAdministrator(identity, 'policy_admin', 'auditor');
  const query = queryOf(body);
  const at = body.at === undefined ? ctx.now() : momentOf(body.at);
  const outcome = await ctx.store.transaction(async (tx) => {
    const active = await ctx.activeBundle(tx);
    if (!active) {
      await record(ctx, tx, { identity, call, query, body, type: 'no_active_bundle' });
      return null;
    }
    const subject = await subjectOf(ctx, tx, body, active);
    try {
      const explanation = explainFor({ active, from: 'bundle' }, subject, query, at);
      await record(ctx, tx, { identity, call, query, body, subject, explanation });
      return { explanation: withAccount(explanation, subject) };
    } catch (error) {
      // That a query is allowed and cannot be run is an answer, too.
      const refusal = asValidation(error);
      await record(ctx, tx, { identity, call, query, body, subject, type: refusal.code });
      return { refusal };
    }
  });
  if (outcome === null) {
    const reason = await whyNothing(ctx);
    const correlation_id = call.correlationId;
    return { status: 'denied', type: 'no_active_bundle', reason, correlation_id };
  }
  if ('refusal' in outcome) throw outcome.refusal;
  return { ...outcome.explanation, correlation_id: call.correlationId };
}

const ATTRIBUTES = ['roles', 'clearance', 'region', 'purpose_assigned', 'agent'] as const;

/** What is asked, its form checked, and that the body says each thing in one way. */
function queryOf({ aql, dataset, fields, requester }: ExplainBody): ExplainedQuery {
  const problems: Problem[] = [];
  const both = (pointer: string, message: string) =>
    problems.push({ pointer, code: 'conflict', message });
  if (aql === undefined && dataset === undefined) {
    problems.push({ pointer: '', code: 'required', message: 'needs aql or dataset' });
  }
  if (aql !== undefined && dataset !== undefined) both('/dataset', 'cannot stand beside aql');
  if (fields !== undefined && dataset === undefined) both('/fields', 'needs a dataset');
  for (const key of requester.user === undefined ? [] : ATTRIBUTES) {
    if (requester[key] !== undefined) both(`/requester/${key}`, 'cannot stand beside user');
  }
  if (problems.length > 0) throw invalid(problems);
  if (dataset !== undefined) return { dataset, fields: fields ?? [] };
  try {
    parseExplained(aql);
  } catch (error) {
    throw asValidation(error);
  }
  return { aql };
}

function momentOf(text: string): number {
  const moment = parseTimestamp(text, true);
  if (moment !== undefined) return Date.parse(moment);
  throw invalid([{ pointer: '/at', code: 'timestamp', message: 'is not an RFC 3339 moment' }]);
}

async function subjectOf(
  ctx: ControlContext,
  tx: StoreRepositories,
  { requester }: ExplainBody,
  active: ActiveBundle,
): Promise<Subject> {
  const { user, roles = [], clearance, region, purpose, purpose_assigned, agent } = requester;
  if (user !== undefined) {
    const identity = await accountOf(tx, user, ctx.now());
    return { identity, purpose: purpose ?? null, isAccount: true };
  }
  const who = {
    roles,
    ...(clearance === undefined ? {} : { clearance }),
    ...(region === undefined ? {} : { region }),
    ...(purpose === undefined ? {} : { purpose }),
    purposeAssigned: purpose_assigned ?? true,
    isAgent: agent ?? false,
  };
  try {
    const identity = describedIdentity(who, active.policies);
    return { identity, purpose: purpose ?? null, isAccount: false };
  } catch (error) {
    throw asValidation(error, '/requester/clearance');
  }
}

/** Of an email address, an id, a token's prefix, or the name of an agent that no other live one has. */
async function accountOf(tx: StoreRepositories, text: string, now: number): Promise<Identity> {
  const user = (await tx.users.byId(text)) ?? (await tx.users.byEmail(text.trim().toLowerCase()));
  const agent = user ? null : await tx.agentTokens.byIdOrPrefix(text);
  const found = user ?? agent;
  const identity = found
    ? await loadIdentity(tx, user ? 'user' : 'agent', found.id, now)
    : await agentNamed(tx, text, now);
  if (identity) return identity;
  // The text is not repeated: it may be a token that was put in the wrong place.
  throw new VkitError(
    'not_found',
    'There is no account of this email, id or agent name that may ask for anything.',
    { hint: 'It is unknown, disabled, revoked or expired, or the person it acts for is.' },
  );
}

/** Tokens of one name that are looked at, the newest first; of rotated ones most are expired. */
const NAMESAKES_MAX = 100;

async function agentNamed(
  tx: StoreRepositories,
  name: string,
  now: number,
): Promise<Identity | null> {
  const live: Identity[] = [];
  for (const { id } of await tx.agentTokens.byName(name, NAMESAKES_MAX)) {
    const identity = await loadIdentity(tx, 'agent', id, now);
    if (identity) live.push(identity);
  }
  const [only] = live;
  if (live.length < 2) return only ?? null;
  const ids = live.map(({ id }) => id).join(', ');
  throw invalid([
    {
      pointer: '/requester/user',
      code: 'ambiguous',
      message: `is the name of ${live.length} agents: give the id of one of them (${ids})`,
    },
  ]);
}

function withAccount(explanation: Explanation, subject: Subject): Explanation {
  if (!subject.isAccount) return explanation;
  const { id, kind, name, onBehalfOf } = subject.identity;
  const account = { id, kind, name, on_behalf_of: onBehalfOf?.email ?? null };
  return { ...explanation, requester: { ...explanation.requester, account } };
}

async function whyNothing(ctx: ControlContext): Promise<string> {
  const facts = await ctx.store.bundles.active();
  const refusal = facts && (await refusalOf(ctx, facts));
  if (!facts || !refusal) return 'No policy bundle is active, so everything is denied.';
  return `The active bundle v${facts.version} is not served, so everything is denied: ${refusal.message}`;
}

interface RecordInput {
  identity: Identity;
  call: CallMeta;
  query: ExplainedQuery;
  body: ExplainBody;
  /** Absent where nothing was decided. */
  subject?: Subject;
  explanation?: Explanation;
  type?: string;
}

/** Who asked, for whom, about what; never a value of a filter. */
async function record(
  ctx: ControlContext,
  tx: StoreRepositories,
  { identity, call, query, body, subject, explanation, type }: RecordInput,
): Promise<void> {
  const event = auditEvent(ctx, 'policy.explained', call, identity);
  const { purpose } = body.requester;
  const who = subject?.identity;
  await tx.audit.append({
    ...event,
    request: { ...askedFor(ctx, query), ...(purpose === undefined ? {} : { purpose }) },
    metadata: {
      ...event.metadata,
      explained_for: subject?.isAccount ? subject.identity.id : 'described',
      ...(who ? { roles: who.roles.join(','), clearance: who.clearance, region: who.region } : {}),
      ...(who?.onBehalfOf ? { on_behalf_of: who.onBehalfOf.id } : {}),
      ...(explanation
        ? {
            action: explanation.decision.action,
            policy_id: explanation.decision.policy_id,
            bundle_checksum: explanation.decision.bundle_checksum,
          }
        : {}),
      ...(type === undefined ? {} : { type }),
    },
  });
}

function askedFor(ctx: Pick<ControlContext, 'keys'>, query: ExplainedQuery) {
  if ('dataset' in query) return { dataset: query.dataset, columns_requested: query.fields };
  const aql = parseExplained(query.aql);
  return {
    dataset: aql.source_table,
    columns_requested: columnsRequested(aql),
    aql_hash: auditAqlHash(ctx, aql),
  };
}

/** What is wrong with a query is `validation` at the server, its pointers counted from the body's root. */
function asValidation(error: unknown, pointer?: string): VkitError {
  if (!(error instanceof VkitError)) throw error;
  const { code, message } = error;
  if (code === 'invalid_input') {
    return invalid([{ pointer: pointer ?? '', code: 'unknown', message }]);
  }
  if (code !== 'invalid_aql') return error;
  const problems = error.details?.problems ?? [];
  return invalid(problems.map((one) => ({ ...one, pointer: `/aql${one.pointer ?? ''}` })));
}

function invalid(problems: readonly Problem[]): VkitError {
  return new VkitError('validation', 'The body is not valid.', { details: { problems } });
}
