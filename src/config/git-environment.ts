import { readVariable } from './env.js';

/** What Git needs to run at all; none of its own variables, which would answer for the folder it is asked about. */
const NAMES = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'TMP', 'SYSTEMROOT', 'LD_LIBRARY_PATH'] as const;

/** The environment in which vkit runs Git where a person's configuration must have no say. */
export function readGitEnvironment(
  env?: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const entries = NAMES.map((name) => [name, readVariable(name, env)] as const);
  return Object.fromEntries(
    entries.filter(
      (entry): entry is readonly [(typeof entry)[0], string] => entry[1] !== undefined,
    ),
  );
}
