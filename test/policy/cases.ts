import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import type { Bundle, BundleHeader } from '../../src/bundle/model.js';
import { formatProblem } from '../../src/errors/index.js';
import type {
  EvaluationInput,
  Narrowing,
  Policy,
  Reference,
  Requester,
} from '../../src/policy/model.js';
import { parsePolicyFile } from '../../src/policy/parse-policy.js';
import { packageRoot } from '../../src/util/package-root.js';

/** One case of test/cases/policy/*.yaml; see schema.json beside them. */
export interface PolicyCase {
  name: string;
  policies?: unknown[];
  default_action?: BundleHeader['default_action'];
  clearances?: string[];
  as?: Partial<Requester>;
  behalf?: Partial<Requester>;
  narrowing?: Narrowing;
  purpose?: string;
  at?: string;
  /** `dataset.field`, or a dataset's name alone. */
  read: string[];
  expect: CaseExpectation;
}

export interface CaseExpectation {
  action: string;
  policy_id?: string | null;
  reason?: string | null;
  denial?: string | null;
  masks?: Record<string, unknown>;
  denied_fields?: string[];
  approvals?: unknown[];
  ttl_seconds?: number;
  max_rows?: number | null;
  auto_revoke?: boolean;
  /** What is readable once every approval is given: `dataset.field` to a method, or `raw`. */
  approved?: Record<string, string>;
  applied?: unknown[];
  /** policy id to `yes`, `undecided` or `no`. */
  trace?: Record<string, string>;
}

const FOLDER = join(packageRoot(), 'test/cases/policy');
const NOON = '2026-03-02T12:00:00Z';

export function caseFiles(): { name: string; cases: PolicyCase[] }[] {
  const files = readdirSync(FOLDER).filter(
    (file) => file.endsWith('.yaml') && file !== 'registry.yaml',
  );
  return files.sort().map((file) => {
    const { cases } = parse(readFileSync(join(FOLDER, file), 'utf8')) as { cases: PolicyCase[] };
    return { name: basename(file, '.yaml').replace(/-/g, ' '), cases };
  });
}

const registry = parse(readFileSync(join(FOLDER, 'registry.yaml'), 'utf8')) as Bundle['registry'];

/** A policy in the form of a file, through the parser that reads files. */
export function policyOf(form: unknown): Policy {
  const { policy, problems } = parsePolicyFile(JSON.stringify(form), 'case.yaml');
  if (policy === null) throw new Error(problems.map(formatProblem).join('\n'));
  return policy;
}

export function bundleOf(policies: readonly Policy[], header: Partial<BundleHeader> = {}): Bundle {
  return {
    bundle: {
      format_version: 'v1',
      org_slug: 'acme',
      bundle_version: '1',
      sequence: 1,
      created_at: NOON,
      expires_at: null,
      source: { type: 'git', repo: 'example.com/acme', commit_sha: '1', dirty: false },
      checksum: 'c'.repeat(64),
      installed_packs: [],
      default_action: 'deny',
      ...header,
    },
    registry,
    policies,
    signing: null,
  };
}

export function bundleOfCase(one: PolicyCase): Bundle {
  const clearances = one.clearances;
  const policies = (one.policies ?? []).map((form) => {
    const options = clearances ? { clearances } : {};
    const { policy, problems } = parsePolicyFile(JSON.stringify(form), 'case.yaml', options);
    if (policy === null) throw new Error(problems.map(formatProblem).join('\n'));
    return policy;
  });
  return bundleOf(policies, {
    ...(one.default_action && { default_action: one.default_action }),
    ...(clearances && { clearances }),
  });
}

export function requesterOf(given: Partial<Requester> = {}): Requester {
  return { roles: [], clearance: null, region: null, purposes: [], ...given };
}

export function inputOfCase(one: PolicyCase): EvaluationInput {
  return {
    requester: requesterOf(one.as),
    ...(one.behalf && { onBehalfOf: requesterOf(one.behalf) }),
    ...(one.narrowing && { narrowing: one.narrowing }),
    ...(one.purpose !== undefined && { purpose: one.purpose }),
    references: one.read.map(referenceOf),
    at: Date.parse(one.at ?? NOON),
    trace: true,
  };
}

/** `customers.email` as a reference; keys of the case registry may hold dots themselves. */
export function referenceOf(name: string): Reference {
  const keys = registry.datasets.map((dataset) => dataset.name).sort((a, b) => b.length - a.length);
  const dataset = keys.find((key) => name === key || name.startsWith(`${key}.`));
  if (dataset === undefined) {
    const [unknown = name, ...field] = name.split('.');
    return { dataset: unknown, field: field.length > 0 ? field.join('.') : null };
  }
  return { dataset, field: name === dataset ? null : name.slice(dataset.length + 1) };
}
