import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import semver from 'semver';
import { type DoctorCheck, failed, ok, warning } from './check.js';

const NODE_RANGE = '>=20.19.0';
/** The first that knows `git log --no-show-signature`. */
const GIT_MIN = '2.11.0';
const GIT_TIMEOUT_MS = 5_000;

export function checkNode(version: string): DoctorCheck {
  return semver.satisfies(version, NODE_RANGE)
    ? ok('node', `Node ${version}`)
    : failed(
        'node',
        `Node ${version} is too old.`,
        `Install Node ${NODE_RANGE.slice(2)} or newer.`,
      );
}

export async function checkGit(): Promise<DoctorCheck> {
  try {
    const { stdout } = await promisify(execFile)('git', ['--version'], { timeout: GIT_TIMEOUT_MS });
    const version = semver.coerce(stdout)?.version;
    if (version !== undefined && semver.gte(version, GIT_MIN)) return ok('git', `Git ${version}`);
    const hint = `Install Git ${GIT_MIN} or newer.`;
    return warning('git', `Git ${version ?? 'of an unknown version'} is old.`, hint);
  } catch {
    // Not there, or it does not answer: the same is to be done.
    const hint = 'Install Git: bundles are compiled from commits.';
    return failed('git', 'Git does not answer.', hint);
  }
}
