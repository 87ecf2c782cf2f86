import { parseTimestamp } from '../aql/parse-moment.js';
import type { Problem } from '../errors/index.js';
import { foldName } from '../util/fold-name.js';
import { nearest } from '../util/levenshtein.js';
import { clearanceLevel } from './clearance.js';
import { listOf } from './compile-match.js';
import type { CompiledDataset } from './compiled-dataset.js';
import type { EvaluationInput, Reference } from './model.js';
import type { PolicySet } from './policy-set.js';
import { type PolicyTestCase, TEST_MOMENT } from './policy-test-file.js';
import { rolesOfRequester } from './requester-roles.js';

/** A case ready to be decided: the set has the environment and region that the case says. */
export interface PreparedTest {
  set: PolicySet;
  input: EvaluationInput;
  dataset: string;
  /** As the registry writes them. */
  fields: readonly string[];
}

/**
 * Looks up what a case names. A dataset, field, clearance or role that does not exist is a problem and not a denial: a
 * typing error would otherwise pass every test that expects one.
 */
export function preparePolicyTest(
  set: PolicySet,
  test: PolicyTestCase,
  roles: readonly string[] | null,
): { prepared: PreparedTest | null; problems: readonly Problem[] } {
  const { given } = test;
  const problems = [...unknownAttributes(set, test, roles)];
  const found = findDataset(set, given.dataset);
  if (typeof found === 'string') {
    const near = nearest(given.dataset, set.datasets.keys());
    problems.push(
      test.problemAt(['given', 'dataset'], {
        code: 'unknown_dataset',
        message: found,
        suggestion: near === undefined ? NOT_SERVED : `Did you mean "${near}"?`,
      }),
    );
    return { prepared: null, problems };
  }
  const fields = (given.fields ?? []).flatMap((name, index): string[] => {
    const field = fieldNamed(found, name);
    if (field !== undefined) return [field];
    problems.push(unknownField(test, ['given', 'fields', index], name, found));
    return [];
  });
  problems.push(...untouched(test, found, fields));
  if (problems.length > 0) return { prepared: null, problems };
  const references: Reference[] = [null, ...new Set(fields)].map((field) => ({
    dataset: found.name,
    field,
  }));
  const purpose = given.purpose ?? undefined;
  const isAssigned = purpose !== undefined && given.purpose_assigned !== false;
  const prepared: PreparedTest = {
    set: { ...set, datasets: new Map([[found.name, asGiven(found, test)]]) },
    dataset: found.name,
    fields,
    input: {
      requester: {
        roles: rolesOfRequester(listOf<string>(given.requester_role ?? [])),
        clearance: given.requester_clearance ?? null,
        region: given.requester_region ?? null,
        purposes: isAssigned ? [purpose] : [],
      },
      ...(purpose === undefined ? {} : { purpose }),
      references,
      at: momentOf(given.at ?? TEST_MOMENT),
    },
  };
  return { prepared, problems };
}

/**
 * A dataset by its registry key, else by one of the forms without datasource or schema; in any case. What is wrong, as a
 * sentence, where there is none or more than one.
 */
export function findDataset(set: PolicySet, name: string): CompiledDataset | string {
  const exact = set.datasets.get(name);
  if (exact !== undefined) return exact;
  const lower = foldName(name);
  const all = [...set.datasets.values()];
  for (const namesOf of [
    (one: CompiledDataset) => [one.name],
    (one: CompiledDataset) => one.forms,
  ]) {
    const found = all.filter((one) => namesOf(one).some((form) => foldName(form) === lower));
    if (found.length > 1) {
      return `"${name}" is one of ${found.map((one) => `"${one.name}"`).join(', ')}: write it in full.`;
    }
    if (found[0] !== undefined) return found[0];
  }
  return `The dataset "${name}" is not in the compiled registry.`;
}

const NOT_SERVED = 'A dataset or field that no scan has seen is left out: vkit policy validate.';

/** In UTC first: not every way to write RFC 3339 is one that Date knows. */
function momentOf(text: string): number {
  return Date.parse(parseTimestamp(text, true) ?? text);
}

function fieldNamed(dataset: CompiledDataset, name: string): string | undefined {
  if (dataset.fields.has(name)) return name;
  const lower = foldName(name);
  const alike = [...dataset.fields.keys()].filter((field) => foldName(field) === lower);
  return alike.length === 1 ? alike[0] : undefined;
}

function unknownField(
  test: PolicyTestCase,
  path: readonly (string | number)[],
  name: string,
  dataset: CompiledDataset,
): Problem {
  const near = nearest(name, dataset.fields.keys());
  return test.problemAt(path, {
    code: 'unknown_field',
    message: `The field "${name}" is not in the compiled registry of "${dataset.name}".`,
    suggestion: near === undefined ? NOT_SERVED : `Did you mean "${near}"?`,
  });
}

/** An expectation about a field that the case does not ask for would never fail. */
function untouched(
  test: PolicyTestCase,
  dataset: CompiledDataset,
  fields: readonly string[],
): Problem[] {
  const touched = new Set(fields.map((name) => foldName(name)));
  const { masks = {}, fields: actions = {}, denied_fields: denied = [] } = test.expect;
  const named: [readonly (string | number)[], string][] = [
    ...Object.keys(masks).map((name): [string[], string] => [['expect', 'masks', name], name]),
    ...Object.keys(actions).map((name): [string[], string] => [['expect', 'fields', name], name]),
    ...denied.flatMap((name, index): [(string | number)[], string][] =>
      isDatasetName(dataset, name) ? [] : [[['expect', 'denied_fields', index], name]],
    ),
  ];
  return named
    .filter(([, name]) => !touched.has(foldName(withoutDataset(dataset, name))))
    .map(([path, name]) =>
      test.problemAt(path, {
        code: 'not_touched',
        message: `The case expects something of "${name}", which is not among its fields.`,
        suggestion: 'Add it to given.fields.',
      }),
    );
}

/** `dataset.field` as `field`. */
export function withoutDataset(dataset: Pick<CompiledDataset, 'name'>, name: string): string {
  const prefix = `${dataset.name}.`;
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

function isDatasetName(dataset: CompiledDataset, name: string): boolean {
  return dataset.name === name && !dataset.fields.has(name);
}

function unknownAttributes(
  set: PolicySet,
  test: PolicyTestCase,
  known: readonly string[] | null,
): Problem[] {
  const { requester_role: role, requester_clearance: clearance } = test.given;
  const problems: Problem[] = [];
  const add = (key: string, code: string, message: string, suggestion: string) =>
    problems.push(test.problemAt(['given', key], { code, message, suggestion }));
  for (const name of known === null ? [] : listOf<string>(role ?? [])) {
    if (known?.includes(name)) continue;
    const message = `The role "${name}" is not in vkit.yaml.`;
    add('requester_role', 'unknown_role', message, meantRole(name, known ?? []));
  }
  if (clearance !== undefined && clearance !== null) {
    if (clearanceLevel(set.clearances, clearance) === null) {
      const message = `The clearance "${clearance}" does not exist.`;
      const suggestion = `Known, from lowest to highest: ${set.clearances.join(', ')}.`;
      add('requester_clearance', 'unknown_clearance', message, suggestion);
    }
  }
  return problems;
}

/** What to do about a role that vkit.yaml does not know: the one that was meant, or else all that there are. */
export function meantRole(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  if (near !== undefined) return `Did you mean "${near}"?`;
  const list = known.length === 0 ? 'none' : known.join(', ');
  return `Known are ${list}; another one is added to \`roles\` in vkit.yaml.`;
}

function asGiven(
  dataset: CompiledDataset,
  { given: { environment, dataset_region: region } }: PolicyTestCase,
): CompiledDataset {
  return {
    ...dataset,
    ...(environment === undefined ? {} : { environment }),
    ...(region === undefined ? {} : { region }),
  };
}
