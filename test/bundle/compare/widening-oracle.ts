import type { BundleComparison, DecisionChange } from '../../../src/bundle/compare/model.js';
import type { Bundle } from '../../../src/bundle/model.js';
import { MASK_METHODS, type Mask } from '../../../src/masking/model.js';
import { evaluate } from '../../../src/policy/evaluate.js';
import type { Action, Decision, EvaluationInput, Reference } from '../../../src/policy/model.js';
import { compilePolicySet, type PolicySet } from '../../../src/policy/policy-set.js';
import { rolesOfRequester } from '../../../src/policy/requester-roles.js';

export type Asker = Omit<EvaluationInput, 'references' | 'trace'>;
export type Compare = (a: Bundle, b: Bundle) => BundleComparison;

/** How soon something is readable. */
const ACCESS: Readonly<Record<Action, number>> = {
  deny: 0,
  require_approval: 1,
  mask: 2,
  allow: 2,
};

/** How a comparison calls what no policy names. */
const OTHER = '(any other)';

/** In these the stricter of two decisions can be wider though neither is: two different `partial` masks make `full`. */
const OF_MASKS = ['mask', 'prefix', 'suffix', 'shortness'];

/** What a requester gets in one respect, as a number: more is wider. */
type Answer = ReadonlyMap<string, number>;

/**
 * A requester for whom the second bundle is wider than the first in some respect and of whom the comparison says nothing:
 * it has no change of the same reference that widens, for the same clearance, region and purpose, and that is so; of an
 * agent that acts for a person, those of either. `null` where there is none.
 */
export function missedWidening(
  compare: Compare,
  [a, b]: readonly [Bundle, Bundle],
  askers: readonly Asker[],
  note: (what: string) => void,
): string | null {
  const sets = [compilePolicySet(a), compilePolicySet(b)] as const;
  let comparison: BundleComparison | undefined;
  for (const asker of askers) {
    for (const reference of referencesOf(a, b)) {
      const { onBehalfOf, ...own } = asker;
      const wider = widerRespects(sets, asker, reference).filter(
        (respect) => onBehalfOf === undefined || !OF_MASKS.includes(respect),
      );
      if (wider.length === 0) continue;
      if (onBehalfOf !== undefined) note('for a person');
      const askedAs = onBehalfOf === undefined ? [own] : [own, { ...own, requester: onBehalfOf }];
      comparison ??= compare(a, b);
      for (const respect of wider) note(respect.replace(/ of .*/, ''));
      if (comparison.summary.not_compared > 0) {
        note('not compared');
        continue;
      }
      const found = comparison.changes.filter((change) => isOf(change, reference));
      const isReported = found.some((change) =>
        askedAs
          .flatMap((one) => likes(change, one))
          .some((like) => widerRespects(sets, like, change).length > 0),
      );
      if (!isReported) {
        return JSON.stringify({ reference, wider, asker, at: new Date(asker.at), found, a, b });
      }
    }
  }
  return null;
}

function isOf(change: DecisionChange, { dataset, field }: Reference): boolean {
  // A count is as open as the most open of the fields, and where one of them widens it need not be said twice.
  const isThere = change.dataset === dataset && (field === null || change.field === field);
  return isThere && change.direction !== 'narrowing' && change.together_with === null;
}

/** The requesters that a change names and that are as this one but for their roles; what no policy names is like any other. */
function likes(change: DecisionChange, asker: Asker): readonly Asker[] {
  const { requester, purpose = null, at } = asker;
  const among = <T extends string | null>(list: readonly T[] | null, value: T) =>
    list?.filter((one) => one === value || (value !== null && one?.startsWith(OTHER))) ?? [value];
  const purposes = among(change.purposes?.map((one) => one?.purpose ?? null) ?? null, purpose);
  const isAssigned = purpose !== null && requester.purposes.includes(purpose);
  return (change.roles ?? [requester.roles]).flatMap((roles) =>
    among(change.clearances, requester.clearance as string | null).flatMap((clearance) =>
      among(change.requester_regions, requester.region).flatMap((region) =>
        purposes.map((said) => ({
          requester: {
            roles: rolesOfRequester(roles),
            clearance,
            region,
            purposes: isAssigned && said !== null ? [said] : [],
          },
          ...(said !== null && { purpose: said }),
          at,
        })),
      ),
    ),
  );
}

function referencesOf(a: Bundle, b: Bundle): readonly Reference[] {
  const references = [a, b].flatMap(({ registry: { datasets } }) =>
    datasets.flatMap(({ name, fields }) =>
      [null, ...fields.map((field) => field.name)].map((field) => ({ dataset: name, field })),
    ),
  );
  return [...new Map(references.map((one) => [JSON.stringify(one), one])).values()];
}

/** In which respects the second set gives more than the first. */
function widerRespects(
  [a, b]: readonly [PolicySet, PolicySet],
  asker: Asker,
  reference: Reference,
): readonly string[] {
  const [before, after] = [answerOf(a, asker, reference), answerOf(b, asker, reference)];
  if (after.get('access') === 0) return [];
  // What is denied has nothing else to compare.
  if (before.get('access') === 0) return ['access'];
  const respects = [...new Set([...before.keys(), ...after.keys()])];
  return respects.filter((respect) => {
    const isDemand = / of /.test(respect);
    const bothAsk = before.get('access') === 1 && after.get('access') === 1;
    if (isDemand && !bothAsk) return false;
    return (after.get(respect) ?? 0) > (before.get(respect) ?? 0);
  });
}

function answerOf(set: PolicySet, asker: Asker, { dataset, field }: Reference): Answer {
  const references = [null, field].map((name) => ({ dataset, field: name }));
  const decision = evaluate(set, { ...asker, references });
  const own = decision.references.find((one) => one.field === field);
  if (own === undefined || own.action === 'deny') return new Map([['access', 0]]);
  const mask = own.mask === undefined || own.liftsMask ? null : own.mask;
  const approving = new Set(own.policyIds);
  return new Map([
    ['access', ACCESS[own.action]],
    ...shown(field === null ? null : mask),
    ['ttl', decision.ttl_seconds],
    ['rows', decision.max_rows ?? Infinity],
    ['auto_revoke', Number(!decision.auto_revoke)],
    ...demands(decision, approving),
  ]);
}

/** How much a mask shows: of two `partial` by their parts, else by the order of the methods. */
function shown(mask: Mask | null): [string, number][] {
  const method = mask === null ? MASK_METHODS.length : MASK_METHODS.indexOf(mask.method);
  if (mask === null) return [['mask', method], ...parts(Infinity, Infinity, Infinity)];
  if (mask.method !== 'partial') return [['mask', method], ...parts(0, 0, -Infinity)];
  return [['mask', method], ...parts(mask.prefix, mask.suffix, -mask.minLength)];
}

function parts(prefix: number, suffix: number, shortness: number): [string, number][] {
  return [
    ['prefix', prefix],
    ['suffix', suffix],
    ['shortness', shortness],
  ];
}

/** What an approval demands, each as a number that grows where less is demanded. */
function demands({ approvals }: Decision, policyIds: ReadonlySet<string>): [string, number][] {
  const found = new Map<string, number>();
  for (const { policy_id, approver_role, approvals: count, metadata_required } of approvals) {
    if (!policyIds.has(policy_id)) continue;
    const role = `approvals of ${approver_role}`;
    found.set(role, Math.min(found.get(role) ?? 0, -count));
    for (const key of metadata_required) found.set(`metadata of ${key}`, -1);
  }
  return [...found];
}
