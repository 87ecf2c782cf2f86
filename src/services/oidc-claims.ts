/** A claim (its name, or a path with points where no claim has that name), and what its values stand for. */
export interface ClaimMapping {
  claim: string;
  /** A value that is not in it stands for nothing; without one, values stand for themselves. */
  map?: Readonly<Record<string, string | readonly string[]>>;
}

/** What the claims say of a person; an attribute that no claim is named for is not in it. */
export interface ClaimMappings {
  /** Groups become roles by the table alone: who names groups at the provider does not thereby name roles here. */
  roles?: ClaimMapping & Required<Pick<ClaimMapping, 'map'>>;
  clearance?: ClaimMapping;
  region?: ClaimMapping;
  purposes?: ClaimMapping;
}

export interface ClaimedAttributes {
  roles?: string[];
  clearance?: string | number | null;
  region?: string | null;
  purposes?: string[];
}

export type Claims = Readonly<Record<string, unknown>>;

/** Values of one claim that are looked at; a person has fewer groups. */
const VALUES_MAX = 1_000;
/** As many roles or purposes as an account may have. */
const ATTRIBUTES_MAX = 64;
/** The form of a role, clearance, region or purpose, as the API takes it. */
const ATTRIBUTE = /^[A-Za-z0-9][A-Za-z0-9_.:/ -]{0,63}$/;

/** The attributes that claims are named for. A claim that is missing, or not of the form expected, is empty: null or no values. */
export function attributesFromClaims(claims: Claims, mappings: ClaimMappings): ClaimedAttributes {
  const { roles, clearance, region, purposes } = mappings;
  return {
    ...(roles ? { roles: listOf(claims, roles) } : {}),
    ...(clearance ? { clearance: levelOf(claims, clearance) } : {}),
    ...(region ? { region: oneOf(claims, region) } : {}),
    ...(purposes ? { purposes: listOf(claims, purposes) } : {}),
  };
}

function listOf(claims: Claims, mapping: ClaimMapping): string[] {
  const value = claimOf(claims, mapping.claim);
  const values = Array.isArray(value) ? value.slice(0, VALUES_MAX) : [value];
  const found = values.flatMap((one) => meaningOf(one, mapping));
  return [...new Set(found)].sort().slice(0, ATTRIBUTES_MAX);
}

/** One value: of a list with several, nobody could say which. */
function oneOf(claims: Claims, mapping: ClaimMapping): string | null {
  const value = claimOf(claims, mapping.claim);
  const [first, ...more] = Array.isArray(value) ? value : [value];
  const found = more.length > 0 ? [] : meaningOf(first, mapping);
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** A clearance may be told by its level. */
function levelOf(claims: Claims, mapping: ClaimMapping): string | number | null {
  const value = claimOf(claims, mapping.claim);
  const isLevel = mapping.map === undefined && Number.isSafeInteger(value);
  return isLevel ? (value as number) : oneOf(claims, mapping);
}

function meaningOf(value: unknown, { map }: ClaimMapping): string[] {
  if (typeof value !== 'string' && typeof value !== 'number') return [];
  const text = String(value);
  if (map === undefined) return ATTRIBUTE.test(text) ? [text] : [];
  const meant = Object.hasOwn(map, text) ? map[text] : undefined;
  if (meant === undefined) return [];
  return typeof meant === 'string' ? [meant] : [...meant];
}

/** A claim by its name, else by its path: `realm_access.roles` is a list inside an object at some providers. */
export function claimOf(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part))
      return undefined;
    value = (value as Claims)[part];
  }
  return value;
}
