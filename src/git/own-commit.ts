/** Who makes vkit's commits. The domain can belong to nobody (RFC 2606), so that no account is named. */
export const AUTHOR = { name: 'vkit', email: 'drift@vkit.invalid' } as const;

/** The trailer that marks a commit as made by `vkit drift pr`. */
export const OWN_TRAILER = 'Vkit-Generated: drift';

/** What `isOwn` reads of a commit, in the words of `git log --format`. */
export const OWN_FORMAT = '%ae%n%ce%n%(trailers:only,unfold)';

/**
 * Whether a commit is vkit's: author, committer and trailer. One that a person amended, rebased or merged has another
 * committer, and is theirs.
 */
export function isOwn(commit: string): boolean {
  const [author, committer, ...trailers] = commit.split('\n');
  return author === AUTHOR.email && committer === AUTHOR.email && trailers.includes(OWN_TRAILER);
}
