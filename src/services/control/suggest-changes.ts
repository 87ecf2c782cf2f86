import type { Catalog } from '../../aql/catalog.js';
import type { Aql } from '../../aql/model.js';
import { resolveAql } from '../../aql/resolve.js';
import type { FieldRef, ResolvedSource } from '../../aql/resolved-query.js';
import { fieldNames, type Rewriting, rewriteNames } from '../../aql/rewrite-names.js';
import type { DenialDetails, SubmitBody, Suggestion } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import { discoverable, fieldVisibility } from '../../policy/visibility.js';
import { nearest } from '../../util/levenshtein.js';
import type { ActiveBundle } from './active-bundle.js';
import { missingMetadata, requiredByRole } from './approvals-given.js';
import type { Identity } from './identity.js';
import { hasOutput, type Judgement, judge, planQuery } from './judge.js';
import { knowableCatalog } from './knowable-catalog.js';
import { type NamedAttributes, narrowRequester } from './narrow.js';

/** A denied request: what was asked, and what the policies said. */
export interface DeniedRequest extends NamedAttributes {
  aql: Aql;
  datasource?: string;
  purpose?: string;
  reason?: string;
  metadata?: Readonly<Record<string, string>>;
  ttl_seconds?: number;
}

export interface SuggestOptions {
  active: ActiveBundle;
  identity: Identity;
  /** Milliseconds since the epoch. */
  at: number;
  rowCap: number;
}

/** Queries that are judged for one denial, whatever is asked: a denial must not cost more than many grants. */
const JUDGED_MAX = 32;
const SUGGESTIONS_MAX = 3;
/** Roles, purposes and fields that are tried one by one. */
const TRIED_MAX = 8;
/** Names of a query that is looked into: of one with more, nothing is said. */
const NAMES_MAX = 200;

type Body = Omit<SubmitBody, 'aql'> & { aql: Aql };

interface Candidate {
  change: string;
  without: readonly string[];
  body: Body;
  /** Not worth a word where a smaller change is granted already. */
  onlyIfNothing?: true;
}

/**
 * What a denial is about, and the smallest changes after which the same requester would not be denied: other attributes that
 * they hold, names left out or spelled right. Each change is judged as a request of its own would be. Pure but for its
 * arguments. Names that are unknown and names that only the default denies are treated alike throughout, so that nothing
 * here depends on which of both they are.
 */
export function explainDenial(request: DeniedRequest, options: SuggestOptions): DenialDetails {
  const body = bodyOf(request);
  const catalog = knowableCatalog(options, body.purpose);
  const known = knownNames(body, catalog);
  if (known.refs.size > NAMES_MAX) return { fields: [], suggestions: [] };
  const judgement = judgeBody(body, options);
  const closed = closedNames(known, judgement);
  const isByPolicy = judgement.decision.denial === 'policy_denied';
  const fields = closed.filter((name) => !isByPolicy || isDeniedByPolicy(name, known, judgement));
  const found: Suggestion[] = [];
  const seen = new Set<string>([JSON.stringify(body)]);
  const trial = (candidate: Candidate): Passed | null => {
    const names = knownNames(candidate.body, catalog);
    const { change, without } = candidate;
    const exact = { change, without, body: exactly(candidate.body, names) };
    const text = JSON.stringify(exact.body);
    if (seen.size > JUDGED_MAX || found.length >= SUGGESTIONS_MAX || seen.has(text)) return null;
    seen.add(text);
    const passed = passes(exact.body, knownNames(exact.body, catalog), options);
    if (passed !== null) found.push({ ...exact, ...passed.parts });
    return passed;
  };
  for (const candidate of candidates(body, known, options)) {
    const isGranted = found.some(({ status }) => status === 'granted');
    if (isGranted && candidate.onlyIfNothing) continue;
    const waiting = trial(candidate)?.waiting ?? [];
    if (seen.size > JUDGED_MAX || found.length >= SUGGESTIONS_MAX) break;
    // Without what somebody has to approve, nobody may have to be asked.
    for (const open of leavingOut(candidate.body, waiting, false)) {
      trial({ ...open, without: [...candidate.without, ...open.without] });
    }
  }
  return { fields, suggestions: found };
}

function bodyOf({ aql, ...rest }: DeniedRequest): Body {
  const entries = Object.entries(rest).filter(([, value]) => value !== undefined);
  return { aql, ...Object.fromEntries(entries) } as Body;
}

function judgeBody(body: Body, { active, identity, at }: SuggestOptions): Judgement {
  const narrowing = narrowRequester(identity, body, active.policies.clearances);
  return judge(active, identity, { aql: body.aql, narrowing, purpose: body.purpose ?? null, at });
}

/** What the names of a query stand for, as far as the requester may know; `null` for all others. */
interface KnownNames {
  refs: ReadonlyMap<string, FieldRef | null>;
  sources: readonly ResolvedSource[];
  /** Names of datasets, as the query writes them, to their own. */
  datasets: ReadonlyMap<string, string>;
}

function knownNames({ aql }: Body, catalog: Catalog): KnownNames {
  const names = fieldNames(aql);
  const { source_table, joins } = aql;
  const query = { source_table, ...(joins ? { joins } : {}), columns: names };
  const { columns, sources } = resolveAql(query, catalog);
  const found = new Map(
    columns.flatMap((column) => ('ref' in column ? [[column.pointer, column.ref] as const] : [])),
  );
  const refs = names.map((name, index) => [name, found.get(`/columns/${index}`) ?? null] as const);
  const written = [source_table, ...(joins ?? []).map(({ table }) => table)];
  const datasets = written.flatMap((name) => {
    const dataset = catalog.dataset(name);
    return dataset === undefined ? [] : [[name, dataset.name] as const];
  });
  return { refs: new Map(refs), sources, datasets: new Map(datasets) };
}

/** The names that are unknown to the requester, or that the decision denies. */
function closedNames({ refs }: KnownNames, { decision }: Judgement): string[] {
  return [...refs].flatMap(([name, ref]) => {
    const one = ref && referenceOf(ref, decision);
    return one && one.action !== 'deny' ? [] : [name];
  });
}

function isDeniedByPolicy(name: string, { refs }: KnownNames, { decision }: Judgement): boolean {
  const ref = refs.get(name);
  return ref ? referenceOf(ref, decision)?.deniedByPolicy === true : false;
}

function referenceOf({ dataset, field }: FieldRef, { references }: Judgement['decision']) {
  return references.find((one) => one.dataset === dataset && one.field === field);
}

/** What is tried, the smallest change first. */
function* candidates(
  body: Body,
  known: KnownNames,
  options: SuggestOptions,
): Generator<Candidate, void, undefined> {
  const variants = [...withAttributes(body, options)].map((one) => {
    return { ...one, onlyIfNothing: true as const };
  });
  yield* variants;
  yield* respelled(body, known, options);
  const asIs: Candidate = { change: '', without: [], body };
  for (const drops of [false, true]) {
    for (const variant of [asIs, ...variants]) {
      const closed = closedNames(known, judgeBody(variant.body, options));
      const one = closed.length <= TRIED_MAX ? closed.map((name) => [name]) : [];
      for (const names of closed.length > 1 ? [...one, closed] : one) {
        for (const left of leavingOut(variant.body, names, drops)) {
          const change = `${variant.change} ${left.change}`.trim();
          const isLarger = drops || variant !== asIs;
          yield { ...left, change, ...(isLarger ? { onlyIfNothing: true } : {}) };
        }
      }
    }
  }
}

/** Roles, clearance and purposes that the requester holds and the request does without. */
function* withAttributes(
  body: Body,
  { identity }: SuggestOptions,
): Generator<Candidate, void, undefined> {
  const { role, requester_clearance: level, ...rest } = body;
  const without: readonly string[] = [];
  if (role !== undefined) {
    const base = { ...rest, ...(level === undefined ? {} : { requester_clearance: level }) };
    for (const held of identity.roles.slice(0, TRIED_MAX)) {
      yield { change: `Act in your role ${held}.`, without, body: { ...base, role: held } };
    }
    yield { change: 'Name no role.', without, body: base };
  }
  if (level !== undefined) {
    const base = { ...rest, ...(role === undefined ? {} : { role }) };
    yield { change: 'Name no clearance.', without, body: base };
    if (role !== undefined) yield { change: 'Name no role or clearance.', without, body: rest };
  }
  for (const held of identity.purposes.slice(0, TRIED_MAX)) {
    const change = `Say that it is for ${held}, a purpose assigned to you.`;
    yield { change, without, body: { ...body, purpose: held } };
  }
}

/** Names that are nearly ones the requester may know: those alone are compared. */
function* respelled(
  body: Body,
  known: KnownNames,
  options: SuggestOptions,
): Generator<Candidate, void, undefined> {
  const { active } = options;
  const { aql } = body;
  const { input } = judgeBody(body, options);
  const written = [aql.source_table, ...(aql.joins ?? []).map(({ table }) => table)];
  const unknown = written.filter((name) => !known.datasets.has(name));
  const names = unknown.length === 0 ? [] : discoverable(active.policies, input);
  const datasets = new Map<string, string>();
  for (const name of unknown) {
    const near = nearest(
      name,
      names.flatMap((one) => (one.name === name ? [] : [one.name])),
    );
    if (near !== undefined) datasets.set(name, near);
  }
  const fields = new Map<string, string>();
  const wrong = [...known.refs].flatMap(([name, ref]) => (ref === null ? [name] : []));
  for (const name of wrong.slice(0, TRIED_MAX)) {
    const near = nearestField(name, aql, (table) => {
      const own = known.datasets.get(table) ?? datasets.get(table);
      if (own === undefined) return [];
      const visible = fieldVisibility(active.policies, input, own);
      return [...visible].flatMap(([field, { state }]) => (state === 'hidden' ? [] : [field]));
    });
    if (near !== undefined && near !== name) fields.set(name, near);
  }
  if (datasets.size + fields.size === 0) return;
  const rewriting: Rewriting = {
    dropsConditions: false,
    rename: (name) => requalified(fields.get(name) ?? name, datasets),
    renameDataset: (name) => datasets.get(name) ?? name,
  };
  const changed = rewriteNames(aql, rewriting);
  if (changed === null) return;
  const words = [...datasets, ...fields].map(([from, to]) => `${to} for ${from}`);
  const change = `Write ${words.join(', ')}.`;
  yield { change, without: [], body: { ...body, aql: changed } };
}

/** The field that was probably meant, of those the requester would get something of. */
function nearestField(
  name: string,
  { source_table, joins = [] }: Aql,
  openFields: (table: string) => readonly string[],
): string | undefined {
  const point = name.lastIndexOf('.');
  const prefix = point < 0 ? '' : name.slice(0, point);
  const sources: { table: string; alias?: string }[] = [{ table: source_table }, ...joins];
  const meant = sources.filter(({ table, alias }) => ['', table, alias].includes(prefix));
  const near = nearest(
    name.slice(point + 1),
    meant.flatMap(({ table }) => openFields(table)),
  );
  return near === undefined || prefix === '' ? near : `${prefix}.${near}`;
}

function requalified(name: string, datasets: ReadonlyMap<string, string>): string {
  for (const [from, to] of datasets) {
    if (name.startsWith(`${from}.`)) return `${to}${name.slice(from.length)}`;
  }
  return name;
}

function* leavingOut(
  body: Body,
  names: readonly string[],
  drops: boolean,
): Generator<Candidate, void, undefined> {
  if (names.length === 0) return;
  const rename = (name: string) => (names.includes(name) ? null : name);
  const aql = rewriteNames(body.aql, { rename, dropsConditions: drops });
  if (aql === null) return;
  const lost = conditionsOf(aql) < conditionsOf(body.aql);
  const rows = lost ? ' Its conditions go too, so that the answer has other rows.' : '';
  const change = `Leave out ${names.join(', ')}.${rows}`;
  yield { change, without: [...names], body: { ...body, aql } };
}

function conditionsOf({ filters = [], having = [] }: Aql): number {
  return filters.length + having.length;
}

/**
 * A body whose names can stand for nothing else, whatever there is that the requester may not know of: each in the
 * registry's spelling, with its dataset where there are several.
 */
function exactly(body: Body, { refs, sources, datasets }: KnownNames): Body {
  const aql = rewriteNames(body.aql, {
    dropsConditions: false,
    rename: (name) => {
      const ref = refs.get(name);
      if (!ref) return name;
      return sources.length === 1 ? ref.field : `${sources[ref.source]?.label}.${ref.field}`;
    },
    renameDataset: (name) => datasets.get(name) ?? name,
  });
  return { ...body, aql: aql ?? body.aql };
}

interface Passed {
  parts: Pick<Suggestion, 'status' | 'approvals' | 'metadata_required'>;
  /** Names of the query that somebody has to approve. */
  waiting: string[];
}

/** What would become of a request; null for a denial, and for what is not valid. */
function passes(body: Body, known: KnownNames, options: SuggestOptions): Passed | null {
  const judgement = judgeBody(body, options);
  const { decision, datasource, resolved } = judgement;
  if (decision.action === 'deny' || !hasOutput(resolved) || !datasource) return null;
  if (body.datasource !== undefined && body.datasource !== datasource.name) return null;
  try {
    planQuery(options.active, judgement, { approved: true, rowCap: options.rowCap });
  } catch (error) {
    if (error instanceof VkitError && error.code === 'validation') return null;
    throw error;
  }
  if (decision.action !== 'require_approval') return { parts: { status: 'granted' }, waiting: [] };
  const missing = missingMetadata(decision.approvals, body.metadata ?? {});
  const approvals = [...requiredByRole(decision.approvals)].map(([approver_role, required]) => {
    return { approver_role, required };
  });
  const parts = {
    status: 'pending_approval' as const,
    approvals,
    ...(missing.length > 0 ? { metadata_required: missing } : {}),
  };
  const waiting = [...known.refs].flatMap(([name, ref]) => {
    return ref && referenceOf(ref, decision)?.action === 'require_approval' ? [name] : [];
  });
  return { parts, waiting };
}
