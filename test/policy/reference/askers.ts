import type { Bundle, BundleDataset } from '../../../src/bundle/model.js';
import type { EvaluationInput, Policy, Requester } from '../../../src/policy/model.js';
import { conditionsHold, type Known, levelOf } from './conditions.js';
import type { Note } from './note.js';
import type { Truth } from './truth.js';

/** One set of attributes that the request is judged with; "per reference the stricter result holds". */
export interface Asker {
  /** "Deny, approval and mask policies match every role held, allow policies only the roles named." */
  held: readonly string[];
  named: readonly string[];
  clearance: string | number | null;
  region: string | null;
  /** What is said, and whether it is one of the purposes assigned to the identity. */
  purpose: string | null;
  purposeIsAssigned: boolean;
}

const CLEARANCES = ['low', 'medium', 'high', 'admin'];

/** "Clearances are ordered low < medium < high < admin […]; `vkit.yaml` may name others." */
export function clearancesOf(bundle: Bundle): readonly string[] {
  return bundle.bundle.clearances ?? CLEARANCES;
}

/**
 * policy.md, "Trusted context": "it is then evaluated with the full and with the narrowed attributes", and an agent that
 * acts on somebody's behalf "gets the stricter of its own and that person's decision".
 */
export function askersOf(bundle: Bundle, input: EvaluationInput, note: Note): readonly Asker[] {
  const { requester, narrowing, onBehalfOf, purpose } = input;
  const full = askerOf(requester, purpose);
  const askers = [full];
  if (narrowing) askers.push(narrowed(full, narrowing, clearancesOf(bundle)));
  if (onBehalfOf) askers.push(askerOf(onBehalfOf, purpose));
  note(
    'narrowed by',
    Object.keys(narrowing ?? {})
      .sort()
      .join(' and ') || 'nothing',
  );
  note('on behalf', onBehalfOf ? 'of a person' : 'of nobody', narrowing ? 'narrowed' : 'whole');
  note('roles', rolesOf(requester));
  return askers;
}

function askerOf(requester: Requester, said: string | undefined): Asker {
  return {
    held: requester.roles,
    named: requester.roles,
    clearance: requester.clearance,
    // An attribute that is there and empty was never filled in.
    region: requester.region === '' ? null : requester.region,
    purpose: said === undefined || said === '' ? null : said,
    purposeIsAssigned: said !== undefined && requester.purposes.includes(said),
  };
}

/** "Roles that the identity holds, a clearance no higher than its own": anything else names nothing. */
function narrowed(
  full: Asker,
  { roles, clearance }: NonNullable<EvaluationInput['narrowing']>,
  clearances: readonly string[],
): Asker {
  const named = roles ? full.held.filter((role) => roles.includes(role)) : full.named;
  if (clearance === undefined) return { ...full, named };
  const own = full.clearance === null ? null : levelOf(full.clearance, clearances);
  const wanted = levelOf(clearance, clearances);
  const lower = own === null || wanted === null ? null : Math.min(own, wanted);
  return { ...full, named, clearance: lower };
}

/** How the conditions of a policy stand for one who asks, and whether its `lifts_mask` may be relied on. */
export interface Standing {
  truth: Truth;
  lifts: boolean;
}

export function standingOf(
  policy: Policy,
  bundle: Bundle,
  dataset: BundleDataset,
  asker: Asker,
  at: number,
  note: Note,
): Standing {
  const hold = (roles: readonly string[], purpose: string | null): Truth =>
    conditionsHold(policy.when, {
      known: knownOf(bundle, dataset, asker, roles, purpose),
      at,
      clearances: clearancesOf(bundle),
      action: policy.action,
      note,
    });
  // "An allow may rest on a purpose only if it is assigned to the identity": what it rests on must hold as it is said,
  // and without what was only said.
  const opens = (): Truth => {
    const asSaid = hold(asker.named, asker.purpose);
    if (asSaid !== 'yes' || asker.purposeIsAssigned) return asSaid;
    return hold(asker.named, null);
  };
  if (policy.action === 'allow') {
    const truth = opens();
    if ('purpose' in policy.when) note('an allow on a purpose', purposeOf(asker), truth);
    return { truth, lifts: false };
  }
  const truth = hold(asker.held, asker.purpose);
  if (policy.approval?.lifts_mask !== true) return { truth, lifts: false };
  // What cannot be decided counts "as not holding for `allow` and `lifts_mask`".
  const lifts = truth === 'yes' && opens() === 'yes';
  note('a policy that lifts the mask', truth, lifts ? 'lifts it' : 'does not lift it');
  return { truth, lifts };
}

/** "Environment and region of a dataset come from the signed bundle"; what is not there is unknown. */
function knownOf(
  { registry }: Bundle,
  dataset: BundleDataset,
  { clearance, region }: Asker,
  roles: readonly string[],
  purpose: string | null,
): Known {
  const source = registry.datasources.find((one) => one.name === dataset.datasource);
  const list = (value: string | number | null | undefined) =>
    value === null || value === undefined || value === '' ? null : [value];
  return {
    requester_role: roles,
    requester_clearance: list(clearance),
    requester_region: list(region),
    dataset_region: list(source?.region),
    environment: list(source?.environment),
    purpose: list(purpose),
  };
}

function purposeOf({ purpose, purposeIsAssigned }: Asker): string {
  if (purpose === null) return 'not said';
  return purposeIsAssigned ? 'said and assigned' : 'only said';
}

function rolesOf({ roles }: Requester): string {
  return ['none', 'one'][roles.length] ?? 'several';
}
