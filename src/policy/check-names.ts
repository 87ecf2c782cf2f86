import { nearest } from '../util/levenshtein.js';
import { escapePointer } from './check-form.js';
import { compileMatch, listOf, tagsOf } from './compile-match.js';
import {
  type Finding,
  formsOfKey,
  type PolicyFile,
  placeOf,
  type ValidationContext,
} from './finding.js';
import { compileGlob, isGlob } from './glob.js';
import type { FieldMatch, Policy } from './model.js';

const ROLE = '/context/requester_role';

/** Conditions may stand in three places, which mean the same. */
const ROLE_PLACES = [ROLE, '/when/requester_role', '/match/context/requester_role'];

/** A name that a policy writes, and the value's pointer in its file. */
interface Named {
  name: string;
  pointer: string;
}

/**
 * Datasources, datasets, fields, tags and roles that a policy names and that exist nowhere. An exact name is an error; a
 * glob, a tag, or a field of no particular dataset a warning, since a pack is written before the project it serves.
 */
export function checkNames(file: PolicyFile, context: ValidationContext): Finding[] {
  const { policy } = file;
  return [
    ...checkDatasources(file, context),
    ...checkDatasets(file, context),
    ...checkFields(file, context),
    ...checkTags(file, context),
    ...rolesOf(policy).flatMap(({ name, pointer }) => checkRole(file, context, name, pointer)),
  ];
}

function checkDatasources(file: PolicyFile, { datasources }: ValidationContext): Finding[] {
  return namesAt(file.policy.match.datasource, '/match/datasource').flatMap((named) => {
    if (datasources.some(compileGlob(named.name))) return [];
    return [unknown(file, named, 'datasource', datasources, isGlob(named.name))];
  });
}

function checkDatasets(file: PolicyFile, { registry }: ValidationContext): Finding[] {
  const forms = [...registry].flatMap(([key, dataset]) => formsOfKey(key, dataset));
  return namesAt(file.policy.match.dataset, '/match/dataset').flatMap((named) => {
    if (forms.some(compileGlob(named.name))) return [];
    return [unknown(file, named, 'dataset', forms, isGlob(named.name))];
  });
}

function checkFields(file: PolicyFile, { registry }: ValidationContext): Finding[] {
  const { policy } = file;
  const { fields: _fields, ...match } = policy.match;
  const { datasetFailure } = compileMatch(match);
  const names = new Set<string>();
  for (const [key, dataset] of registry) {
    const target = { datasource: dataset.datasource, forms: formsOfKey(key, dataset) };
    if (datasetFailure(target) !== null) continue;
    for (const name of dataset.fields.keys()) names.add(name.toLowerCase());
  }
  // Where no dataset matches there is a finding on that already.
  if (names.size === 0) return [];
  const datasets = policy.match.dataset === undefined ? [] : listOf(policy.match.dataset);
  const exact = datasets.length > 0 && !datasets.some(isGlob);
  const named = [
    ...namesAt(policy.match.fields?.any, '/match/fields/any'),
    ...namesAt(policy.match.fields?.all, '/match/fields/all'),
    ...namesAt(policy.masking?.except, '/action/mask_except'),
    ...Object.keys(policy.masking?.rules ?? {}).map((name) => ({
      name,
      pointer: `/masking/rules/${escapePointer(name)}`,
    })),
  ];
  return named
    .filter(({ name }) => !names.has(name.toLowerCase()))
    .map((entry) => unknown(file, entry, 'field', [...names], !exact));
}

function checkTags(file: PolicyFile, { registry }: ValidationContext): Finding[] {
  const fields: FieldMatch = file.policy.match.fields ?? {};
  const known = new Set<string>();
  for (const dataset of registry.values()) {
    for (const [name, field] of dataset.fields) {
      for (const tag of tagsOf({ ...field, name })) known.add(tag.toLowerCase());
    }
  }
  const named = [
    ...namesAt(fields.category, '/match/fields/category'),
    ...namesAt(fields.contains, '/match/fields/contains'),
  ];
  return named
    .filter(({ name }) => !known.has(name.toLowerCase()))
    .map((entry) => unknown(file, entry, 'tag', [...known], true));
}

function checkRole(
  file: PolicyFile,
  { roles }: ValidationContext,
  name: string,
  pointer: string,
): Finding[] {
  if (roles === undefined || roles.includes(name)) return [];
  return [unknown(file, { name, pointer }, 'role', roles, false)];
}

/** The roles a policy names: who approves, and who is asked for in its conditions. */
function rolesOf({ approval, when }: Policy): readonly Named[] {
  const approver = approval
    ? [{ name: approval.approver_role, pointer: '/action/approver_role' }]
    : [];
  const condition = when.requester_role;
  const values =
    typeof condition === 'object' && !Array.isArray(condition)
      ? Object.entries(condition).flatMap(([key, value]) =>
          key === 'present' ? [] : listOf(value),
        )
      : condition === undefined
        ? []
        : listOf(condition);
  const asked = values.flatMap((value) =>
    typeof value === 'string' && !value.startsWith('$') ? [{ name: value, pointer: ROLE }] : [],
  );
  return [...approver, ...asked];
}

function namesAt(value: string | readonly string[] | undefined, pointer: string): Named[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return [{ name: value, pointer }];
  return value.map((name, index) => ({ name, pointer: `${pointer}/${index}` }));
}

function unknown(
  { policy, file, position }: PolicyFile,
  { name, pointer }: Named,
  what: string,
  known: readonly string[],
  mild: boolean,
): Finding {
  const near = nearest(name, known);
  return {
    severity: mild ? 'warning' : 'error',
    file,
    ...placeOf(position, pointer === ROLE ? ROLE_PLACES : [pointer]),
    code: `unknown_${what}`,
    message: `The policy ${policy.id} names the ${what} \`${name}\`, which exists nowhere.`,
    ...(near !== undefined && { suggestion: `Did you mean ${near}?` }),
  };
}
