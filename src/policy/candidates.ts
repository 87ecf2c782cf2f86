import type { BundleField } from '../bundle/model.js';
import { foldName } from '../util/fold-name.js';
import { listOf, type MatchTarget, tagsOf } from './compile-match.js';
import type { CompiledPolicy, Question } from './compiled-policy.js';
import { isGlob } from './glob.js';
import { createBudget, NO_BUDGET, type OutcomeBudget, type Outcomes } from './outcomes.js';
import type { RoleSet } from './role-sets.js';

/** Policies that may bear on a field or dataset. Equal ones are one object, so that what is decided for one is decided for all. */
export interface Candidates extends Outcomes {
  /** In the order of reporting. */
  readonly policies: readonly CompiledPolicy[];
  /** What they ask beside roles, each once. */
  readonly questions: readonly Question[];
  /** Whether one of them needs to know what else the request touches (`fields.all`). */
  readonly needsTouched: boolean;
  /** Whether what is decided for one of their fields is decided for all, masks included. */
  readonly isShared: boolean;
}

/** The policies whose `match` can hold of one field, or of a dataset itself. */
export interface CandidateList {
  /** In the order of reporting. */
  readonly policies: readonly CompiledPolicy[];
  /** Those that do not fail for want of a role. */
  forRoles(roles: RoleSet): Candidates;
}

/** The candidates of one dataset. */
export interface DatasetCandidates {
  ofDataset(): CandidateList;
  ofField(field: BundleField): CandidateList;
}

/** Finds candidates by dataset, field, tag and role; see `createCandidateIndex`. */
export type CandidateIndex = (target: MatchTarget) => DatasetCandidates;

/**
 * Arranges the policies, which come in the order of reporting, so that those of a reference are found without looking at the
 * others: by the names of datasets, then by the names, tags, categories or sensitivities of fields.
 */
export function createCandidateIndex(policies: readonly CompiledPolicy[]): CandidateIndex {
  const named = new Map<string, CompiledPolicy[]>();
  const patterned: CompiledPolicy[] = [];
  const everywhere: CompiledPolicy[] = [];
  for (const compiled of policies) {
    const { dataset, datasource } = compiled.policy.match;
    const names = dataset === undefined ? null : listOf<string>(dataset);
    if (names === null && datasource === undefined) everywhere.push(compiled);
    else if (names === null || names.some(isGlob)) patterned.push(compiled);
    else for (const name of names) addTo(named, foldName(name), compiled);
  }
  const ofEveryDataset = createFieldIndex(everywhere);
  const share = createSharing(createBudget());
  return (target) => {
    const forms = new Set(target.forms.map((form) => foldName(form)));
    const close = [...forms].flatMap((form) => named.get(form) ?? []);
    const own = [...close, ...patterned].filter(
      ({ match }) => match.datasetFailure(target) === null,
    );
    const ofThisDataset = createFieldIndex(own);
    return {
      ofDataset: () => share([...ofEveryDataset.whole, ...ofThisDataset.whole]),
      ofField: (field) => share([...ofEveryDataset.find(field), ...ofThisDataset.find(field)]),
    };
  };
}

interface FieldIndex {
  /** Those that act on the dataset as a whole, and on each of its fields. */
  whole: readonly CompiledPolicy[];
  /** Those that act on a field; one may come twice. */
  find(field: BundleField): readonly CompiledPolicy[];
}

/** A policy stands under the narrowest of the keys of its `match.fields`, all of which must hold. */
function createFieldIndex(policies: readonly CompiledPolicy[]): FieldIndex {
  const whole = policies.filter(({ match }) => !match.hasFields);
  const byName = new Map<string, CompiledPolicy[]>();
  const byTag = new Map<string, CompiledPolicy[]>();
  const byCategory = new Map<string, CompiledPolicy[]>();
  const bySensitivity = new Map<string, CompiledPolicy[]>();
  for (const compiled of policies) {
    const { any, all, contains, category, sensitivity } = compiled.policy.match.fields ?? {};
    const put = (into: Map<string, CompiledPolicy[]>, keys: string | readonly string[]) => {
      for (const key of listOf<string>(keys)) addTo(into, foldName(key), compiled);
    };
    if (any !== undefined) put(byName, any);
    else if (all !== undefined) put(byName, all);
    else if (contains !== undefined) put(byTag, contains);
    else if (category !== undefined) put(byCategory, category);
    else if (sensitivity !== undefined) put(bySensitivity, sensitivity);
  }
  return {
    whole,
    find: (field) => {
      const { name, category = '', sensitivity } = field;
      const found = [
        ...whole,
        ...(byName.get(foldName(name)) ?? []),
        ...tagsOf(field).flatMap((tag) => byTag.get(foldName(tag)) ?? []),
        ...(byCategory.get(foldName(category)) ?? []),
        ...(bySensitivity.get(foldName(sensitivity)) ?? []),
      ];
      return found.filter(
        ({ match, excepts }) => match.fieldFailure(field) === null && !excepts(name),
      );
    },
  };
}

/** Gives equal candidates as one object. */
function createSharing(budget: OutcomeBudget): (found: readonly CompiledPolicy[]) => CandidateList {
  const groups = new Map<string, Candidates>();
  const share = (policies: readonly CompiledPolicy[]): Candidates => {
    const key = keyOf(policies);
    const known = groups.get(key) ?? candidatesOf(policies, budget);
    groups.set(key, known);
    return known;
  };
  return (found) => {
    const policies = [...new Set(found)].sort((a, b) => a.order - b.order);
    return {
      policies,
      forRoles: ({ roles, index }) => {
        const holdable = policies.filter(
          ({ rolesNeeded: needed }) => needed === null || needed.some((one) => roles.includes(one)),
        );
        // What is not remembered is not shared either, so that no request can make anything grow.
        return index === null ? candidatesOf(holdable, NO_BUDGET) : share(holdable);
      },
    };
  };
}

function keyOf(policies: readonly CompiledPolicy[]): string {
  return policies.map(({ order }) => order).join();
}

function candidatesOf(policies: readonly CompiledPolicy[], budget: OutcomeBudget): Candidates {
  const needsTouched = policies.some(({ match }) => match.all !== null);
  const questions = policies.flatMap(({ beyondRoles }) => beyondRoles ?? []);
  return {
    policies,
    questions: [...new Set(questions)],
    needsTouched,
    isShared: !needsTouched && policies.every(({ masksAlike }) => masksAlike),
    plain: undefined,
    others: undefined,
    budget,
  };
}

function addTo<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
