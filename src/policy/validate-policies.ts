import type { Registry } from '../schema/model.js';
import { checkMasksOfPolicy } from './check-guessable.js';
import { checkNames } from './check-names.js';
import type { Finding, PolicyFile, ValidationContext } from './finding.js';
import { ignoreComments } from './ignore-comments.js';
import type { Policy } from './model.js';
import { compareText } from './policy-set.js';

export type { Finding, PolicyFile } from './finding.js';

export interface ValidatePoliciesInput {
  policies: readonly PolicyFile[];
  registry: Registry;
  /** Names of the project's datasources. */
  datasources: readonly string[];
  /** The known roles; absent where vkit.yaml names none, and then every role is known. */
  roles?: readonly string[];
  /** Bands of installed packs, with the ids of the policies they own. */
  packs?: readonly {
    name: string;
    band: { min: number; max: number };
    policyIds: readonly string[];
  }[];
}

/**
 * The checks that need more than one file: duplicate ids, names that exist nowhere, missing descriptions, priority bands,
 * masks that can be guessed. Findings that a comment accepts are left out, duplicate ids aside; sorted by file and line.
 */
export function validatePolicies(input: ValidatePoliciesInput): readonly Finding[] {
  const findings = input.policies.flatMap((file) => {
    const own = [
      ...checkDescription(file),
      ...checkBand(file, input),
      ...checkNames(file, input),
      ...checkMasksOfPolicy(file, input),
    ];
    return [...withoutAccepted(file, own), ...duplicateIds(file, input.policies)];
  });
  return findings.sort(
    (a, b) => compareText(a.file, b.file) || a.line - b.line || a.column - b.column,
  );
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

function duplicateIds(
  { policy, file, position }: PolicyFile,
  all: readonly PolicyFile[],
): Finding[] {
  const others = all.filter((other) => other.policy.id === policy.id && other.file !== file);
  if (others.length === 0) return [];
  return [
    {
      severity: 'error',
      file,
      ...position('/id'),
      code: 'duplicate_id',
      message: `The id ${policy.id} is also that of ${others.map((other) => other.file).join(', ')}.`,
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

function withoutAccepted({ file, text }: PolicyFile, findings: readonly Finding[]): Finding[] {
  const comments = ignoreComments(text ?? '');
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
