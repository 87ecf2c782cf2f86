import type { Bundle } from '../../src/bundle/model.js';
import { ACTIONS, type Action, type EvaluationInput, type Policy } from '../../src/policy/model.js';

/** The sizes of the promise: policies in a bundle. */
export const SIZES = [10, 100, 1_000, 10_000] as const;

const DATASETS = 200;
/** Datasets are named after areas, and policies of a middle size name an area by a glob: `area07_*`. */
const AREAS = 20;
const FIELDS_PER_DATASET = 20;
const FIELDS_PER_REQUEST = 8;
const REQUESTS = 1_000;
const TAGS = ['contact', 'identity', 'money', 'health', 'usage', 'internal'] as const;
const ROLES = ['analyst', 'engineer', 'support', 'finance', 'ai_agent'] as const;
const ENVIRONMENTS = ['production', 'staging', 'development'] as const;
const CLEARANCES = ['low', 'medium', 'high', 'admin'] as const;
/** What a policy does. The strictest wins where several match, so that openings must be more for an even outcome. */
const WEIGHTS: readonly (readonly [Action, number])[] = [
  ['deny', 0.2],
  ['require_approval', 0.23],
  ['mask', 0.26],
  ['allow', 0.31],
];

/** One request as every engine gets it. */
export interface WorkloadRequest {
  roles: readonly string[];
  clearance: string;
  dataset: string;
  environment: string;
  fields: readonly { name: string; tag: string }[];
}

export interface Workload {
  bundle: Bundle;
  requests: readonly WorkloadRequest[];
}

/** The same workload for the same size, on every machine: nothing in it is random but by the seed. */
export function workloadOf(size: number, seed = 7): Workload {
  const random = generator(seed);
  const policies = policiesOf(size, random);
  const datasets = Array.from({ length: DATASETS }, (_, index) => ({
    name: datasetName(index),
    datasource: `${environmentOf(index)}_db`,
    table: { schema: 'public', name: datasetName(index) },
    fields: Array.from({ length: FIELDS_PER_DATASET }, (_, field) => ({
      name: fieldName(field),
      type: 'text',
      sensitivity: 'medium' as const,
      category: tagOf(index, field),
    })),
  }));
  const bundle: Bundle = {
    bundle: {
      format_version: 'v1',
      org_slug: 'bench',
      bundle_version: '0',
      sequence: 1,
      created_at: '2026-03-02T10:00:00Z',
      expires_at: null,
      source: { type: 'git', repo: '', commit_sha: '0', dirty: false },
      checksum: '0'.repeat(64),
      installed_packs: [],
      default_action: 'deny',
    },
    registry: {
      datasets,
      datasources: ENVIRONMENTS.map((environment) => ({
        name: `${environment}_db`,
        type: 'postgres',
        environment,
        region: null,
        config: {},
      })),
    },
    policies,
    signing: null,
  };
  return { bundle, requests: Array.from({ length: REQUESTS }, () => requestOf(random)) };
}

/** The request as vkit's engine takes it. */
export function inputOf(request: WorkloadRequest, at: number): EvaluationInput {
  return {
    requester: { roles: request.roles, clearance: request.clearance, region: null, purposes: [] },
    references: [
      { dataset: request.dataset, field: null },
      ...request.fields.map(({ name }) => ({ dataset: request.dataset, field: name })),
    ],
    at,
  };
}

/** The level of a clearance from 1, for engines that compare numbers. */
export function levelOf(clearance: string): number {
  return (CLEARANCES as readonly string[]).indexOf(clearance) + 1;
}

/** A policy for every cell of a grid as fine as the size allows, then such that hold for few requesters only. */
function policiesOf(size: number, random: () => number): Policy[] {
  const cells = gridOf(size);
  return Array.from({ length: size }, (_, index): Policy => {
    const cell = cells[index] ?? narrowCell(random);
    const action = pickAction(random());
    return {
      id: `policy_${String(index).padStart(5, '0')}`,
      match: cell.match,
      when: cell.when,
      action,
      priority: Math.floor(random() * 100),
      ...(action === 'deny' && { reason: 'This is denied' }),
      ...(action === 'require_approval' && {
        reason: 'Somebody has to approve this',
        approval: { approver_role: 'data_owner' },
      }),
      ...(action === 'mask' && { masking: { default_method: 'full' as const } }),
    };
  });
}

type Cell = Pick<Policy, 'match' | 'when'>;

function gridOf(size: number): Cell[] {
  const byRole = (cells: readonly { match: Policy['match']; when?: Policy['when'] }[]): Cell[] =>
    cells.flatMap(({ match, when = {} }) =>
      ROLES.map((role) => ({ match, when: { requester_role: role, ...when } })),
    );
  const perTag = (extra: Policy['match']) =>
    TAGS.map((tag) => ({ match: { ...extra, fields: { contains: [tag] } } }));
  if (size < 100) {
    return byRole([
      { match: { fields: { contains: TAGS.slice(0, 3) } } },
      { match: { fields: { contains: TAGS.slice(3) } } },
    ]);
  }
  if (size < 1_000) {
    return byRole(
      ENVIRONMENTS.flatMap((environment) =>
        perTag({}).map((cell) => ({ ...cell, when: { environment } })),
      ),
    );
  }
  if (size < 10_000) {
    const areas = Array.from({ length: AREAS }, (_, area) => `${areaName(area)}_*`);
    return byRole(areas.flatMap((dataset) => perTag({ dataset })));
  }
  return byRole(
    Array.from({ length: DATASETS }, (_, index) => perTag({ dataset: datasetName(index) })).flat(),
  );
}

function narrowCell(random: () => number): Cell {
  return {
    match: {
      dataset: datasetName(Math.floor(random() * DATASETS)),
      fields: { any: [fieldName(Math.floor(random() * FIELDS_PER_DATASET))] },
    },
    when: {
      requester_role: [pick(ROLES, random), pick(ROLES, random)],
      requester_clearance: { lte: 'low' },
    },
  };
}

function requestOf(random: () => number): WorkloadRequest {
  const index = Math.floor(random() * DATASETS);
  const first = Math.floor(random() * FIELDS_PER_DATASET);
  const roles = new Set([pick(ROLES, random)]);
  if (random() < 0.2) roles.add(pick(ROLES, random));
  return {
    roles: [...roles],
    clearance: pick(CLEARANCES, random),
    dataset: datasetName(index),
    environment: environmentOf(index),
    fields: Array.from({ length: FIELDS_PER_REQUEST }, (_, field) => {
      const at = (first + field) % FIELDS_PER_DATASET;
      return { name: fieldName(at), tag: tagOf(index, at) };
    }),
  };
}

function pickAction(value: number): Action {
  let sum = 0;
  for (const [action, weight] of WEIGHTS) {
    sum += weight;
    if (value < sum) return action;
  }
  return ACTIONS[ACTIONS.length - 1] ?? 'allow';
}

function pick<T>(values: readonly T[], random: () => number): T {
  return values[Math.floor(random() * values.length)] as T;
}

function areaName(area: number): string {
  return `area${String(area).padStart(2, '0')}`;
}

function datasetName(index: number): string {
  return `${areaName(index % AREAS)}_table${String(Math.floor(index / AREAS)).padStart(2, '0')}`;
}

function fieldName(index: number): string {
  return `field_${String(index).padStart(2, '0')}`;
}

function environmentOf(dataset: number): string {
  return ENVIRONMENTS[dataset % ENVIRONMENTS.length] ?? 'production';
}

function tagOf(dataset: number, field: number): string {
  return TAGS[(dataset * 7 + field * 5) % TAGS.length] ?? 'internal';
}

/** Numbers from 0 to below 1 (mulberry32, a public-domain generator by Tommy Ettinger). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
