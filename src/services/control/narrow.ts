import type { BundleDatasource } from '../../bundle/model.js';
import { VkitError } from '../../errors/index.js';
import { clearanceLevel } from '../../policy/clearance.js';
import type { Narrowing } from '../../policy/model.js';
import type { Identity } from './identity.js';

/** The attributes a request may name; each only to narrow itself. */
export interface NamedAttributes {
  role?: string;
  environment?: string;
  requester_region?: string;
  requester_clearance?: string;
  dataset_region?: string;
}

/**
 * Checks that the requester holds what it names and returns the narrowing. Throws `attribute_not_held` naming the first
 * attribute that is not held: another role, a clearance above one's own, another region.
 */
export function narrowRequester(
  identity: Identity,
  named: NamedAttributes,
  clearances: readonly string[],
): Narrowing {
  const narrowing: Narrowing = {};
  if (named.role !== undefined) {
    if (!identity.roles.includes(named.role)) throw notHeld('role');
    narrowing.roles = [named.role];
  }
  if (named.requester_clearance !== undefined) {
    const asked = clearanceLevel(clearances, named.requester_clearance);
    const own = clearanceLevel(clearances, identity.clearance);
    if (asked === null || own === null || asked > own) throw notHeld('requester_clearance');
    narrowing.clearance = named.requester_clearance;
  }
  if (named.requester_region !== undefined && named.requester_region !== identity.region) {
    throw notHeld('requester_region');
  }
  return narrowing;
}

/** Checks the attributes that name the datasource; they come from the signed bundle and can only be repeated. */
export function checkDatasourceAttributes(
  datasource: BundleDatasource,
  named: NamedAttributes,
): void {
  if (named.environment !== undefined && named.environment !== datasource.environment) {
    throw notHeld('environment');
  }
  if (named.dataset_region !== undefined && named.dataset_region !== datasource.region) {
    throw notHeld('dataset_region');
  }
}

function notHeld(attribute: string): VkitError {
  return new VkitError(
    'attribute_not_held',
    `The request names the attribute ${attribute} with a value that is not held.`,
    {
      hint: `Leave ${attribute} out, or name one that you have: vkit whoami`,
      details: { attribute },
    },
  );
}
