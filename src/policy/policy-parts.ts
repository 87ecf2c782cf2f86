import { foldName } from '../util/fold-name.js';
import { compileMatch, type MatchField, namesOf, type ShownField } from './compile-match.js';
import type { CompiledDataset } from './compiled-dataset.js';
import type { CompiledPolicy } from './compiled-policy.js';
import { type CompiledConditions, compileConditions } from './conditions.js';
import type { FieldMatch, Reference } from './model.js';
import type { PolicySet } from './policy-set.js';
import type { Touched } from './touched.js';
import type { Verdicts } from './verdicts.js';

/** One condition of a policy by itself, as a policy that has no other, so that verdicts can be asked for it. */
export interface ConditionPart {
  /** The attribute, or `time`. */
  name: string;
  alone: CompiledPolicy;
}

/** A part of a policy that does not hold: `match.dataset`, `match.fields.contains`, or the attribute of a condition. */
export interface FailedPart {
  part: string;
  because: string;
}

/** The conditions of a policy one by one, sorted by name. */
export function conditionPartsOf(
  compiled: CompiledPolicy,
  { clearances }: Pick<PolicySet, 'clearances'>,
): readonly ConditionPart[] {
  return Object.entries(compiled.policy.when)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({
      name,
      alone: aloneOf(compiled, compileConditions({ [name]: value }, clearances)),
    }));
}

function aloneOf(compiled: CompiledPolicy, conditions: CompiledConditions): CompiledPolicy {
  const question = { ...compiled.question, decide: conditions.decide };
  return { ...compiled, conditions, question, beyondRoles: question };
}

/**
 * All parts of a policy that do not hold for a reference; none where it matches. An undecided condition counts as failed
 * for an allow only, which is how it is judged.
 */
export function failedParts(
  compiled: CompiledPolicy,
  parts: readonly ConditionPart[],
  { dataset, field: name }: { dataset: CompiledDataset; field: Reference['field'] },
  { verdicts, touched }: { verdicts: Verdicts; touched: Touched },
): readonly FailedPart[] {
  const field = name === null ? undefined : dataset.fields.get(name);
  const failed: FailedPart[] = [...failedNames(compiled, dataset)];
  if (field !== undefined) {
    failed.push(...failedFieldParts(compiled.policy.match.fields ?? {}, field));
    if (compiled.excepts(field.name)) {
      failed.push({ part: 'mask_except', because: `mask_except: ${field.name}` });
    }
    const isOfAll = compiled.match.all?.includes(foldName(field.name)) === true;
    if (isOfAll && !touched.touchesAll(compiled, dataset.name, field.name)) {
      failed.push({ part: 'match.fields.all', because: NOT_ALL_TOUCHED });
    }
  } else if (compiled.match.hasFields) {
    const because = 'match.fields: no field that it acts on is touched';
    failed.push({ part: 'match.fields', because });
  }
  const isAllow = compiled.policy.action === 'allow';
  const { decide, because } = verdicts.of(dataset);
  for (const { name: part, alone } of parts) {
    const { truth } = decide(alone);
    if (truth === 'yes' || (truth === 'undecided' && !isAllow)) continue;
    failed.push({ part, because: because(alone) });
  }
  return failed;
}

function failedNames({ policy: { match } }: CompiledPolicy, target: CompiledDataset): FailedPart[] {
  return (['datasource', 'dataset'] as const).flatMap((key) => {
    const value = match[key];
    if (value === undefined) return [];
    const because = compileMatch({ [key]: value }).datasetFailure(target);
    if (because === null) return [];
    return [{ part: `match.${key}`, because }];
  });
}

function failedFieldParts(match: FieldMatch, field: MatchField): FailedPart[] {
  return Object.entries(match).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const because = compileMatch({ fields: { [key]: value } }).fieldFailure(field);
    return because === null ? [] : [{ part: `match.fields.${key}`, because }];
  });
}

/**
 * Failed parts with all fields that fail them where they name one: `match.fields.category: id is internal; email is contact,
 * wanted financial`.
 */
export function withAllFields(
  compiled: CompiledPolicy,
  failed: readonly FailedPart[],
  touched: readonly ShownField[],
): readonly FailedPart[] {
  return failed.map((one) => {
    const { part } = one;
    if (part === 'mask_except') {
      const excepted = touched.filter(({ field }) => compiled.excepts(field.name));
      return { part, because: `mask_except: ${namesOf(excepted.map(({ shown }) => shown))}` };
    }
    const key = /^match\.fields\.(\w+)$/.exec(part)?.[1] as keyof FieldMatch | undefined;
    const value = key && compiled.policy.match.fields?.[key];
    if (key === undefined || value === undefined) return one;
    const because = compileMatch({ fields: { [key]: value } }).fieldsFailure(touched);
    // Of `fields.all` it is not a name that failed, but that others are not touched.
    return because === null || isNotTouched(one) ? one : { part, because };
  });
}

function isNotTouched({ because }: FailedPart): boolean {
  return because === NOT_ALL_TOUCHED;
}

const NOT_ALL_TOUCHED = 'match.fields.all: not all of these fields are touched';
