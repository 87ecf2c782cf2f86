import { compareText } from '../../policy/policy-set.js';
import type { Cell } from './cell.js';
import { compareCells } from './compare-cells.js';
import { type CellInput, type Decide, decideCells, type Target } from './decide-cells.js';
import { DIMENSIONS, type Dimensions } from './dimensions.js';
import { type Box, mergeBoxes } from './merge-boxes.js';
import {
  type CellChange,
  KINDS,
  type Pair,
  type RequesterChange,
  type Requesters,
} from './model.js';
import { heldRoles } from './role-sets.js';

/** One reference in both bundles, and how it is to be asked for. */
export interface ReferencePair {
  targets: Pair<Target | null>;
  field: string | null;
  /** The sets of names that `fields.all` lists, in lower case, for which it is decided too. */
  together: readonly (readonly string[])[];
  dimensions: Dimensions;
}

/** A change, the cells that have it, and the policies that were seen to decide there. */
interface Found {
  change: CellChange;
  together: readonly string[] | null;
  cells: number[][];
  policies: Pair<Set<string>>;
}

/** Any moment, where no policy looks at the time. */
const ANY_TIME = '2026-01-12T12:00:00Z';

/** Decides every cell of a reference by both bundles. What is the same for several cells is one change. */
export function compareReference(pair: ReferencePair): readonly RequesterChange[] {
  const { targets, field, dimensions } = pair;
  const found = new Map<string, Found>();
  const ways = [null, ...pair.together].map((together) => ({
    together,
    a: decideCells(targets.a, field, together),
    b: decideCells(targets.b, field, together),
  }));
  for (const places of placesBesideRoles(dimensions)) {
    const byRoles: Set<string>[] = [];
    for (const [place, { parts }] of dimensions.roles.entries()) {
      const cell = [place, ...places];
      const input = inputOf(dimensions, cell);
      // What either role brings alone, or the field alone, need not be said again of both.
      const said = new Set(parts.flatMap((part) => [...(byRoles[part] ?? [])]));
      for (const { together, a, b } of ways) {
        for (const [key, change, decided] of changesOf(a, b, input)) {
          if (said.has(key)) continue;
          said.add(key);
          record(found, { change, together, cell, key, decided });
        }
      }
      byRoles[place] = said;
    }
  }
  const rank = ({ change }: Found) => KINDS.indexOf(change.kind);
  return [...found.values()]
    .sort((one, other) => rank(one) - rank(other))
    .flatMap((one) => mergeBoxes(one.cells).map((box) => requesterChange(one, box, dimensions)));
}

type Decided = Pair<Cell>;

function changesOf(a: Decide, b: Decide, input: CellInput): [string, CellChange, Decided][] {
  const decided = { a: a(input), b: b(input) };
  return compareCells(decided.a, decided.b).map((change) => [
    JSON.stringify(change),
    change,
    decided,
  ]);
}

function record(
  found: Map<string, Found>,
  one: {
    key: string;
    change: CellChange;
    together: readonly string[] | null;
    cell: number[];
    decided: Decided;
  },
): void {
  const { change, together, cell, decided } = one;
  const key = JSON.stringify([together, one.key]);
  const known = found.get(key) ?? {
    change,
    together,
    cells: [],
    policies: { a: new Set<string>(), b: new Set<string>() },
  };
  found.set(key, known);
  known.cells.push(cell);
  for (const side of ['a', 'b'] as const) {
    const { deciding, bearing } = decided[side];
    const isBound = ['ttl', 'max_rows', 'auto_revoke'].includes(change.kind);
    for (const { id } of isBound ? bearing : deciding) known.policies[side].add(id);
  }
}

/** Every combination of places in the dimensions after the first, which is the roles. */
function* placesBesideRoles(dimensions: Dimensions): Generator<number[]> {
  const [, ...names] = DIMENSIONS;
  const sizes = names.map((name) => dimensions[name].length);
  const total = sizes.reduce((product, size) => product * size, 1);
  for (let number = 0; number < total; number += 1) {
    let rest = number;
    yield sizes.map((size) => {
      const place = rest % size;
      rest = Math.trunc(rest / size);
      return place;
    });
  }
}

function inputOf(dimensions: Dimensions, cell: readonly number[]): CellInput {
  const [role = 0, clearance = 0, region = 0, purpose = 0, time = 0] = cell;
  const roles = dimensions.roles[role];
  const said = dimensions.purposes[purpose] ?? null;
  return {
    requester: {
      roles: roles === undefined ? [] : heldRoles(roles),
      clearance: dimensions.clearances[clearance] ?? null,
      region: dimensions.requester_regions[region] ?? null,
      purposes: said?.assigned ? [said.purpose] : [],
    },
    ...(said !== null && { purpose: said.purpose }),
    at: Date.parse(dimensions.times[time]?.at ?? ANY_TIME),
  };
}

function requesterChange(found: Found, box: Box, dimensions: Dimensions): RequesterChange {
  const { change, together, policies } = found;
  return {
    ...change,
    ...requestersOf(box, dimensions),
    together_with: together,
    policies: {
      from: [...policies.a].sort(compareText),
      to: [...policies.b].sort(compareText),
    },
  };
}

function requestersOf(box: Box, dimensions: Dimensions): Requesters {
  const [roles = [], clearances = [], regions = [], purposes = [], times = []] = box;
  const alone = (places: readonly number[]) =>
    places.filter((place) => dimensions.roles[place]?.parts.length === 0).length;
  const isEveryRole = alone(roles) === alone([...dimensions.roles.keys()]);
  return {
    roles: isEveryRole ? null : valuesAt(roles, dimensions.roles).map((set) => set.roles),
    clearances: valuesUnlessAll(clearances, dimensions.clearances),
    requester_regions: valuesUnlessAll(regions, dimensions.requester_regions),
    purposes: valuesUnlessAll(purposes, dimensions.purposes),
    times: valuesUnlessAll(times, dimensions.times)?.filter((time) => time !== null) ?? null,
  };
}

function valuesUnlessAll<T>(places: readonly number[], values: readonly T[]): readonly T[] | null {
  return places.length === values.length ? null : valuesAt(places, values);
}

function valuesAt<T>(places: readonly number[], values: readonly T[]): readonly T[] {
  return places.map((place) => values[place] as T);
}
