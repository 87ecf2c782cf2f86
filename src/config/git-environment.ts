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

/** Variables with which Git is told how to reach a remote; none that says which repository is meant. */
const REMOTE_NAMES =
  /^GIT_(SSH(_COMMAND|_VARIANT)?|ASKPASS|SSL_(CAINFO|CAPATH|CERT|KEY)|PROXY_SSL_.+|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+))$/;

/** What is none of Git's business: its own other variables, programs it must not start, and vkit's secrets. */
const KEPT_OUT = /^(GIT_.*|VKIT_.*|FUNL_.*|VAULTKIT_.*|DATABASE_URL|EDITOR|VISUAL|PAGER|PREFIX)$/i;

/** The environment in which vkit runs Git where it talks to a remote: a person's configuration and logins count. */
export function readGitRemoteEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const entries = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (REMOTE_NAMES.test(entry[0]) || !KEPT_OUT.test(entry[0])),
  );
  return Object.fromEntries(entries);
}
