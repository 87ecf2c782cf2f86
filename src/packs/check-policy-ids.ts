import { VkitError } from '../errors/index.js';

/** A policy of the project, wherever it comes from. */
export interface ProjectPolicy {
  path: string;
  id: string;
}

/** Refuses policy ids that a file outside of `owned` uses already. Throws `conflict` with all of them. */
export function checkPolicyIds(
  ids: readonly string[],
  existing: readonly ProjectPolicy[],
  owned: ReadonlySet<string>,
): void {
  const clashes = existing.filter(({ id, path }) => ids.includes(id) && !owned.has(path));
  const [first] = clashes;
  if (first === undefined) return;
  throw new VkitError(
    'conflict',
    `The policy id "${first.id}" is used already, by ${first.path}.`,
    {
      hint: 'Rename that policy, then try again.',
      details: {
        problems: clashes.map(({ id, path }) => ({
          file: path,
          code: 'duplicate',
          message: `The policy id "${id}" is also the pack's.`,
        })),
      },
    },
  );
}
