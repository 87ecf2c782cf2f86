import { VkitError } from '../errors/index.js';

/** A policy of the project, wherever it comes from. */
export interface ProjectPolicy {
  path: string;
  /** Null where the file cannot be read that far, so that its id could be any. */
  id: string | null;
}

/**
 * Refuses policy ids that a file outside of `owned` uses already, and any while the id of such a file cannot be read. Throws
 * `conflict` with all of them, and `invalid_policy`.
 */
export function checkPolicyIds(
  ids: readonly string[],
  existing: readonly ProjectPolicy[],
  owned: ReadonlySet<string>,
): void {
  const others = existing.filter(({ path }) => !owned.has(path));
  const unread = others.filter(({ id }) => id === null);
  if (unread.length > 0) throw unreadable(unread);
  const clashes = others.filter(({ id }) => id !== null && ids.includes(id));
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

function unreadable(files: readonly ProjectPolicy[]): VkitError {
  const paths = files.map(({ path }) => path);
  return new VkitError(
    'invalid_policy',
    `The policy id of ${paths.join(', ')} cannot be read, so nobody can tell whether the pack brings it too.`,
    {
      hint: 'Mend what is wrong there, then try again: `vkit policy validate`',
      details: {
        problems: paths.map((file) => ({
          file,
          code: 'unreadable_id',
          message: 'The id of this policy cannot be read.',
        })),
      },
    },
  );
}
