import { createEffectCheck } from './check-effect.js';
import { checkMasksOfPolicy } from './check-guessable.js';
import { checkNames } from './check-names.js';
import { createSpellingCheck } from './check-spelling.js';
import { DEFAULT_CLEARANCES } from './clearance.js';
import { compilePolicies } from './compiled-policy.js';
import type { DraftFile, Finding, PolicyFile, ValidationContext } from './finding.js';
import { ignoreComments } from './ignore-comments.js';
import type { Policy } from './model.js';
import { byPriorityThenId, compareText } from './policy-set.js';
import { indexRegistry } from './registry-index.js';

export type { DraftFile, Finding, PolicyFile } from './finding.js';

export interface ValidatePoliciesInput extends ValidationContext {
  policies: readonly PolicyFile[];
  /** What can be read of files that have problems of their own, which are not repeated here. */
  drafts?: readonly DraftFile[];
}

/**
 * The checks that need more than one file: duplicate ids, names that exist nowhere, missing descriptions, priority bands,
 * masks that can be guessed, policies without any effect; and what a
 * file says without effect. Findings that a comment accepts are left out, duplicate ids aside; sorted by file and line.
 */
export function validatePolicies(input: ValidatePoliciesInput): readonly Finding[] {
  const { policies, drafts = [], clearances = DEFAULT_CLEARANCES } = input;
  const filesOfIds = filesById([...policies, ...drafts]);
  const index = indexRegistry(input.registry);
  const sorted = policies.map(({ policy }) => policy).sort(byPriorityThenId);
  const compiled = compilePolicies(sorted, clearances);
  const compiledOf = new Map(compiled.map((one) => [one.policy, one]));
  const checkEffect = createEffectCheck(compiled, index, clearances);
  const checkSpelling = createSpellingCheck(index);
  const findings = policies.flatMap((file) => {
    const ready = compiledOf.get(file.policy);
    const names = checkNames(file, input, index);
    const own = [
      ...checkedAlone(file),
      ...checkDescription(file),
      ...checkBand(file, input),
      ...names,
      ...checkSpelling(file),
      ...(ready ? checkMasksOfPolicy(file, ready, index) : []),
      // A name that exists nowhere is reason enough for a policy to have no effect.
      ...(ready && names.length === 0 ? checkEffect(file, ready) : []),
    ];
    return [...withoutAccepted(file, own), ...duplicateIds(file, filesOfIds)];
  });
  // Of a draft only what is there can be judged: what seems to be missing may be what could not be read.
  const ofDrafts = drafts.flatMap((file) => [
    ...withoutAccepted(file, [...checkedAlone(file), ...checkNames(file, input, index)]),
    ...duplicateIds(file, filesOfIds),
  ]);
  return [...findings, ...ofDrafts].sort(
    (a, b) => compareText(a.file, b.file) || a.line - b.line || a.column - b.column,
  );
}

function checkedAlone({ file, warnings = [] }: DraftFile): Finding[] {
  return warnings.map(({ line = 1, column = 1, code, message, suggestion }) => ({
    severity: 'warning',
    file,
    line,
    column,
    code,
    message,
    ...(suggestion !== undefined && { suggestion }),
  }));
}

function checkDescription({ policy, file, position }: PolicyFile): Finding[] {
  if (policy.description !== undefined && policy.description.trim() !== '') return [];
  return [
    {
      severity: 'warning',
      file,
      ...position('/id'),
      code: 'missing_description',
      message: `The policy ${policy.id} has no description.`,
      suggestion: 'Say in `description` what it is for.',
    },
  ];
}

function filesById(all: readonly DraftFile[]): ReadonlyMap<string, readonly string[]> {
  const files = new Map<string, string[]>();
  for (const { policy, file } of all) {
    if (policy.id !== undefined) files.set(policy.id, [...(files.get(policy.id) ?? []), file]);
  }
  return files;
}

function duplicateIds(
  { policy, file, position }: DraftFile,
  filesOfIds: ReadonlyMap<string, readonly string[]>,
): Finding[] {
  if (policy.id === undefined) return [];
  const others = (filesOfIds.get(policy.id) ?? []).filter((other) => other !== file);
  if (others.length === 0) return [];
  return [
    {
      severity: 'error',
      file,
      ...position('/id'),
      code: 'duplicate_id',
      message: `The id ${policy.id} is also that of ${others.join(', ')}.`,
    },
  ];
}

function checkBand(
  { policy, file, position }: PolicyFile,
  { packs }: ValidationContext,
): Finding[] {
  const pack = packs?.find(({ policyIds }) => policyIds.includes(policy.id));
  if (!pack || isWithin(policy, pack.band)) return [];
  const { min, max } = pack.band;
  return [
    {
      severity: 'error',
      file,
      ...position('/priority'),
      code: 'outside_band',
      message: `The priority ${policy.priority} is outside the band of ${pack.name}, ${min} to ${max}.`,
    },
  ];
}

function isWithin({ priority }: Policy, { min, max }: { min: number; max: number }): boolean {
  return priority >= min && priority <= max;
}

function withoutAccepted({ file, text = '' }: DraftFile, findings: readonly Finding[]): Finding[] {
  // Most files have no such comment, and finding one takes a look at every token.
  const comments = text.includes('vkit-ignore') ? ignoreComments(text) : [];
  const accepted = (finding: Finding) =>
    comments.some(
      ({ code, reason, forLine }) =>
        reason !== '' && code === finding.code && forLine === finding.line,
    );
  const unreasoned = comments
    .filter(({ code, reason }) => code === '' || reason === '')
    .map(
      ({ line, column }): Finding => ({
        severity: 'error',
        file,
        line,
        column,
        code: 'ignore_without_reason',
        message: 'The comment accepts a finding without saying why.',
        suggestion: 'Write `# vkit-ignore: <code> <reason>`.',
      }),
    );
  return [...findings.filter((finding) => !accepted(finding)), ...unreasoned];
}
