import { MASK_METHODS } from '../masking/model.js';
import type { GrantClaims } from './model.js';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string' && value.length > 0;
const isString: Check = (value) => typeof value === 'string';
const isHash: Check = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);

const CLAIMS: Readonly<Record<keyof GrantClaims, Check>> = {
  iss: isText,
  aud: isText,
  sub: isText,
  jti: isText,
  iat: isCount,
  nbf: isCount,
  exp: isCount,
  vkit: (value) => hasExactly(value, BODY),
};

const BODY: Readonly<Record<keyof GrantClaims['vkit'], Check>> = {
  request_id: isText,
  datasource: isText,
  aql_sha256: isHash,
  bundle_checksum: isText,
  epoch: isCount,
  roles: (value) => Array.isArray(value) && value.every(isString),
  clearance: orNull((value) => isString(value) || Number.isSafeInteger(value)),
  region: orNull(isString),
  environment: isString,
  purpose: orNull(isString),
  masks: (value) => isRecord(value) && Object.values(value).every(isMask),
  max_rows: orNull(isCount),
  operations: (value) => Array.isArray(value) && value.length === 1 && value[0] === 'select',
  digest: isHash,
};

const PARTIAL = { method: isString, prefix: isCount, suffix: isCount, minLength: isCount };

/**
 * Tells whether a JWT's payload has every claim of a grant with its type, and no other: what a verifier does not know it
 * cannot enforce.
 */
export function isGrantClaims(value: unknown): value is GrantClaims {
  return hasExactly(value, CLAIMS);
}

function isMask(value: unknown): boolean {
  if (!isRecord(value)) return false;
  if (value.method === 'partial') return hasExactly(value, PARTIAL);
  return (
    hasExactly(value, { method: isString }) &&
    MASK_METHODS.some((method) => method === value.method)
  );
}

function hasExactly(value: unknown, checks: Readonly<Record<string, Check>>): boolean {
  if (!isRecord(value) || Object.keys(value).length !== Object.keys(checks).length) return false;
  return Object.entries(checks).every(
    ([key, check]) => Object.hasOwn(value, key) && check(value[key]),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
