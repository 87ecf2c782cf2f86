import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { compileBundle } from '../bundle/compile-bundle.js';
import type { Bundle } from '../bundle/model.js';
import { signBundle } from '../bundle/sign-bundle.js';
import { VkitError } from '../errors/index.js';
import type { Change } from '../git/changes-since.js';
import { openRepository, type Repository } from '../git/open-repository.js';
import { PACKS_STATE_PATH } from '../packs/packs-state.js';
import type { Finding } from '../policy/validate-policies.js';
import { toBundleDatasource } from '../project/parse-datasource-file.js';
import { PROJECT_PATHS, registryPaths } from '../project/paths.js';
import { parseDuration } from '../util/duration.js';
import {
  asFinding,
  type LoadedProject,
  type LoadProjectOptions,
  loadProject,
} from './load-project.js';
import { refuseOutput, writeOutputFile } from './output-file.js';
import { shownPath } from './shown-path.js';
import { errorCodeOf, findingsOf } from './validate-project.js';

export interface BuildBundleInput extends LoadProjectOptions {
  root: string;
  /** Absolute, or relative to the root; default dist/policy_bundle.json. */
  out?: string;
  /** Default: the one of vkit.yaml. */
  org?: string;
  /** PEM file of the private key; without it the bundle is not signed, and a warning says so. */
  keyFile?: string;
  /** Default: the number of first-parent commits. */
  sequence?: number;
  /** RFC 3339, a date, or a duration counted from the commit's time, which keeps the bundle reproducible. */
  expires?: string;
  ref?: string;
  /** Compile uncommitted changes too, and record that in the bundle. */
  allowDirty?: boolean;
}

export interface BuildBundleResult {
  bundle: Bundle;
  /** Absolute. */
  file: string;
  warnings: readonly Finding[];
}

/**
 * Compiles, signs and writes a project's bundle. The same commit gives the same bytes before signing. Throws `bundle_dirty` for
 * uncommitted changes, `key_exposed` for a private key that Git would take, `invalid_input` without a commit or in a shallow
 * clone without a sequence, and `invalid_policy`, `invalid_registry` or `config_invalid` with all problems.
 */
export async function buildBundle(input: BuildBundleInput): Promise<BuildBundleResult> {
  const file = resolve(input.root, input.out ?? PROJECT_PATHS.bundle);
  const out = { path: file, flag: '--out', makeFolders: true };
  await refuseOutput(out);
  const loaded = await loadProject(input.root, input);
  const findings = await findingsOf(loaded);
  refuseErrors(findings);
  const keyFile = input.keyFile === undefined ? undefined : resolve(input.root, input.keyFile);
  await refuseExposedKey(join(input.root, PROJECT_PATHS.keys, 'vkit_priv.pem'));
  if (keyFile !== undefined) await refuseExposedKey(keyFile);
  const key = keyFile === undefined ? null : await readPrivateKey(keyFile);
  const repository = await repositoryOf(input.root);
  const { settings, datasources } = loaded.project;
  const org = input.org ?? settings.org;
  if (org === null) {
    throw new VkitError('invalid_input', 'The organisation of the bundle is not known.', {
      hint: 'Write `org: NAME` into vkit.yaml, or give --org NAME.',
    });
  }
  const commit = await headOf(repository);
  const changes = await changesOf(repository, commit.sha, loaded);
  if (changes.length > 0 && input.allowDirty !== true) throw uncommitted(changes);
  const dirty = changes.map(({ path }) => path);
  const repo = settings.repo ?? (await repository.originName());
  const compiled = compileBundle({
    org,
    commit,
    sequence: await sequenceOf(repository, input.sequence),
    expiresAt: expiryOf(input.expires, commit.time),
    repo: repo ?? '',
    ...(input.ref === undefined ? {} : { ref: input.ref }),
    dirty: dirty.length > 0,
    defaultAction: settings.default_action,
    ...(settings.clearances === null ? {} : { clearances: settings.clearances }),
    installedPacks: Object.values(loaded.packs).map(
      ({ name, version, pack_checksum: checksum }) => ({ name, version, checksum }),
    ),
    policies: loaded.policies.map(({ policy }) => policy),
    registry: loaded.registry,
    lock: loaded.lock,
    datasources: datasources.map(toBundleDatasource),
  });
  const bundle = key === null ? compiled : await signBundle(compiled, key, createPublicKey(key));
  await writeOutputFile(out, `${JSON.stringify(bundle, null, 2)}\n`);
  const notes = [
    ...(repo === null
      ? [
          note(
            'repo_unknown',
            'The bundle does not say in which repository its commit is.',
            'Write `repo: HOST/PATH` into vkit.yaml, or give Git a remote "origin".',
          ),
        ]
      : []),
    ...(key === null
      ? [
          note(
            'unsigned',
            'The bundle is not signed; a server refuses it unless its file says otherwise.',
            'Give --key, or set VKIT_PRIVATE_KEY.',
          ),
        ]
      : []),
    ...(dirty.length > 0
      ? [note('dirty', `Compiled with uncommitted changes: ${shownPaths(dirty)}.`)]
      : []),
  ];
  return { bundle, file, warnings: [...findings, ...notes] };
}

function note(code: string, message: string, suggestion?: string): Finding {
  return asFinding(
    { code, message, ...(suggestion === undefined ? {} : { suggestion }) },
    'warning',
  );
}

function refuseErrors(findings: readonly Finding[]): void {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first === undefined) return;
  throw new VkitError(
    errorCodeOf(errors),
    `The project has ${errors.length === 1 ? 'one error' : `${errors.length} errors`}; nothing was compiled.`,
    { hint: 'See them all: `vkit policy validate`', details: { problems: errors } },
  );
}

async function repositoryOf(root: string): Promise<Repository> {
  const repository = await openRepository(root);
  if (repository !== null) return repository;
  throw new VkitError(
    'invalid_input',
    `${root} is not in a Git repository, and a bundle is compiled from a commit.`,
    { hint: 'git init && git add . && git commit -m "Policies"' },
  );
}

async function headOf(repository: Repository): Promise<{ sha: string; time: string }> {
  const head = await repository.headCommit();
  if (head !== null) return head;
  throw new VkitError(
    'invalid_input',
    'The repository has no commit yet, and a bundle is compiled from one.',
    { hint: 'git add . && git commit -m "Policies"' },
  );
}

async function changesOf(
  repository: Repository,
  commit: string,
  { project, directories }: LoadedProject,
): Promise<Change[]> {
  const { policiesDir, datasourcesDir, registryDir } = directories;
  for (const folder of [policiesDir, datasourcesDir, registryDir]) {
    // Of what lies elsewhere Git would say that nothing changed.
    if (await repository.isInsideWorkTree(resolve(project.root, folder))) continue;
    throw new VkitError('invalid_input', `${folder} lies outside of the repository.`, {
      hint: 'A bundle is compiled from a commit: move the files into the repository.',
    });
  }
  const compiled = [
    policiesDir,
    datasourcesDir,
    ...registryPaths(registryDir),
    PROJECT_PATHS.settings,
    PACKS_STATE_PATH,
  ];
  return repository.changesSince(
    commit,
    compiled.map((path) => resolve(project.root, path)),
  );
}

/** More paths are in the details only. */
const PATHS_SHOWN_MAX = 20;

function uncommitted(changes: readonly Change[]): VkitError {
  const paths = changes.map(({ path }) => path);
  const shown = shownPaths(paths);
  const details = { paths, changes };
  const onlyBy = (one: Change['kind']) => changes.every(({ kind }) => kind === one);
  if (onlyBy('line_ends')) {
    return new VkitError(
      'bundle_dirty',
      `These files have other line ends (CRLF) than in the last commit: ${shown}.`,
      {
        hint: "Git changed them on checkout (core.autocrlf). Have it keep them as they are, commit that, and clone anew: echo 'config/** -text' >> .gitattributes",
        details,
      },
    );
  }
  if (onlyBy('submodule')) {
    return new VkitError(
      'bundle_dirty',
      `These folders are submodules, whose files are not in this commit: ${shown}.`,
      { hint: 'Keep what is compiled in this repository.', details },
    );
  }
  return new VkitError(
    'bundle_dirty',
    `These files differ from the last commit, or are not in Git: ${shown}.`,
    {
      hint: 'Commit them, or give --allow-dirty for a bundle that only a server which says so accepts. Files are compared byte by byte: what `git status` does not show is changed by a filter, an attribute or a mark of this clone.',
      details,
    },
  );
}

function shownPaths(paths: readonly string[]): string {
  const more = paths.length - PATHS_SHOWN_MAX;
  const shown = paths.slice(0, PATHS_SHOWN_MAX).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}

async function sequenceOf(repository: Repository, given: number | undefined): Promise<number> {
  if (given !== undefined) {
    if (Number.isSafeInteger(given) && given >= 0) return given;
    throw new VkitError('invalid_input', 'The sequence must be a whole number from 0.');
  }
  if (await repository.hasGrafts()) {
    throw new VkitError(
      'invalid_input',
      'This clone gives commits other parents than they have (.git/info/grafts), so they cannot be counted for the sequence.',
      { hint: 'Remove that file, or give --sequence.' },
    );
  }
  if (!(await repository.isShallow())) return repository.firstParentCount();
  throw new VkitError(
    'invalid_input',
    'This is a shallow clone, whose commits cannot be counted for the sequence.',
    {
      hint: 'git fetch --unshallow (with actions/checkout: fetch-depth: 0), or give --sequence.',
    },
  );
}

function expiryOf(expires: string | undefined, commitTime: string): string | null {
  if (expires === undefined) return null;
  const isTime = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(
    expires,
  );
  // Date takes 30 February for 2 March.
  const day = expires.slice(0, 10);
  const midnight = isTime ? new Date(day) : null;
  if (midnight !== null && !Number.isNaN(midnight.getTime())) {
    if (midnight.toISOString().slice(0, 10) !== day) throw wrongExpiry();
  }
  const at = isTime ? Date.parse(expires) : Date.parse(commitTime) + secondsOf(expires) * 1000;
  if (Number.isNaN(at)) throw wrongExpiry();
  return new Date(at).toISOString().replace('.000Z', 'Z');
}

function secondsOf(duration: string): number {
  try {
    return parseDuration(duration);
  } catch {
    // The reason is that it is neither; the message says what is allowed.
    throw wrongExpiry();
  }
}

function wrongExpiry(): VkitError {
  return new VkitError(
    'invalid_input',
    '--expires must be a time such as 2026-12-31T00:00:00Z, or a duration such as 30d from the commit.',
  );
}

/** A private key in a work tree and not ignored is one `git add` away from being published. */
async function refuseExposedKey(file: string): Promise<void> {
  const exists = await stat(file).then(
    () => true,
    () => false,
  );
  if (!exists) return;
  const repository = await openRepository(dirname(file));
  if (
    repository === null ||
    !(await repository.isInsideWorkTree(file)) ||
    (await repository.isIgnored(file))
  )
    return;
  throw new VkitError(
    'key_exposed',
    `The private key ${file} is in the Git work tree and not ignored.`,
    {
      hint: "Move it out, or have Git ignore it: echo '*_priv.pem' >> .gitignore. If it was ever committed, make a new one.",
    },
  );
}

async function readPrivateKey(file: string): Promise<KeyObject> {
  const pem = await readFile(file).catch(() => {
    // Without the cause, which names the path too.
    throw new VkitError('key_invalid', `The private key ${shownPath(file)} cannot be read.`, {
      hint: 'Make one with `vkit keys generate`, and name its file.',
    });
  });
  try {
    return createPrivateKey(pem);
  } catch {
    // Not kept as a cause: nothing of a key's text may reach a log.
    throw new VkitError(
      'key_invalid',
      `${shownPath(file)} is not a private key in PEM without a passphrase.`,
      { hint: 'Make one with `vkit keys generate`.' },
    );
  }
}
