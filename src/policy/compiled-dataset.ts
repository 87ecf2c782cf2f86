import type { BundleDataset, BundleDatasource, BundleField } from '../bundle/model.js';
import { lazily } from '../util/lazily.js';
import type { CandidateIndex, CandidateList, Candidates } from './candidates.js';
import { datasetForms, type MatchTarget } from './compile-match.js';
import type { Action } from './model.js';
import { nameOfReference } from './name-of-reference.js';
import type { RoleSet } from './role-sets.js';

export interface CompiledDataset extends MatchTarget {
  name: string;
  /** Of the datasource, as the bundle says; `null` is unknown. */
  environment: string | null;
  region: string | null;
  /** By their exact names. */
  fields: ReadonlyMap<string, BundleField>;
  /** `undefined` where there is no such field. */
  field(name: string): CompiledField | undefined;
  /** The policies whose `match` can hold of the dataset itself, or of a field; `undefined` where there is no such field. */
  candidates(field: null): CandidateList;
  candidates(field: string | null): CandidateList | undefined;
  /** What is left of them for somebody who holds these roles. */
  forRoles(roles: RoleSet): RoleCandidates;
}

/** A field with its candidates. */
export interface CompiledField {
  name: string;
  /** With the name of its dataset. */
  fullName: string;
  /** Its place in the dataset, from 0. */
  index: number;
  candidates: CandidateList;
}

/** The candidates of a dataset and its fields for certain roles. They stand close together, for they are asked for together. */
export interface RoleCandidates {
  whole: Candidates;
  ofField(field: CompiledField): Candidates;
  /** Fields that stand for all: masks aside, every other field is decided like one of these. */
  typicalFields(): readonly CompiledField[];
  /** Of those the ones that are decided alike for everybody, with the most open of their actions. */
  settled: { open: Action; others: readonly CompiledField[] } | undefined;
}

/** Compiles datasets; candidates are looked for when they are first asked for. */
export function datasetCompiler(
  index: CandidateIndex,
): (dataset: BundleDataset, source: BundleDatasource | undefined) => CompiledDataset {
  const names = new Map<string, string>();
  /** Columns of many tables have few names: one text of each stays in the processor's cache. */
  const shared = (name: string): string => {
    const known = names.get(name) ?? name;
    names.set(name, known);
    return known;
  };
  return (dataset, source) => {
    const { name } = dataset;
    const target: MatchTarget = {
      datasource: dataset.datasource,
      forms: datasetForms(name, dataset.datasource, dataset.table.schema),
    };
    const fields = lazily(() => new Map(dataset.fields.map((field) => [field.name, field])));
    const found = lazily(() => index(target));
    const whole = lazily(() => found().ofDataset());
    const compiled = lazily(
      () =>
        new Map(
          dataset.fields.map((field, place) => [
            shared(field.name),
            {
              name: shared(field.name),
              fullName: nameOfReference({ dataset: name, field: field.name }),
              index: place,
              candidates: found().ofField(field),
            },
          ]),
        ),
    );
    const byRoles: (RoleCandidates | undefined)[] = [];
    const findFor = (roles: RoleSet) => roleCandidates(roles, whole(), compiled());
    return {
      ...target,
      name,
      environment: source?.environment || null,
      region: source?.region || null,
      get fields() {
        return fields();
      },
      field: (field) => compiled().get(field),
      candidates: ((field) =>
        field === null
          ? whole()
          : compiled().get(field)?.candidates) as CompiledDataset['candidates'],
      forRoles: (roles) => {
        if (roles.index === null) return findFor(roles);
        const known = byRoles[roles.index];
        if (known !== undefined) return known;
        const made = findFor(roles);
        byRoles[roles.index] = made;
        return made;
      },
    };
  };
}

function roleCandidates(
  roles: RoleSet,
  whole: CandidateList,
  fields: ReadonlyMap<string, CompiledField>,
): RoleCandidates {
  const known: (Candidates | undefined)[] = [];
  const ofField = ({ index, candidates }: CompiledField): Candidates => {
    let found = known[index];
    if (found === undefined) {
      found = candidates.forRoles(roles);
      known[index] = found;
    }
    return found;
  };
  return {
    whole: whole.forRoles(roles),
    ofField,
    typicalFields: lazily(() => typicalOf([...fields.values()], ofField)),
    settled: undefined,
  };
}

/** One field of each group of candidates, and every field that is not decided like others of its group. */
function typicalOf(
  fields: readonly CompiledField[],
  ofField: RoleCandidates['ofField'],
): readonly CompiledField[] {
  const seen = new Set<Candidates>();
  return fields.filter((field) => {
    const candidates = ofField(field);
    if (seen.has(candidates) && !candidates.needsTouched) return false;
    seen.add(candidates);
    return true;
  });
}
