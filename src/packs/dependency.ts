import semver from 'semver';
import type { InstalledPackState, PacksState } from './model.js';

/** A dependency as metadata writes it: `starter` or `starter@^1.0.0`. Without a range any version is good. */
export function parseDependency(text: string): { name: string; range: string } {
  const at = text.indexOf('@');
  return at < 0
    ? { name: text, range: '*' }
    : { name: text.slice(0, at), range: text.slice(at + 1) };
}

/**
 * Whether a range takes a version, by the rules of npm: a prerelease (1.1.0-beta.1) only where the range names one of the
 * same version. A dependency without a range takes prereleases too, since it asks for no version at all.
 */
export function accepts(range: string, version: string): boolean {
  return semver.satisfies(version, range, { includePrerelease: range.trim() === '*' });
}

/** Installed packs that depend on this one, with the range they ask for. */
export function dependentsOf(
  name: string,
  state: PacksState,
): { pack: InstalledPackState; range: string }[] {
  return Object.values(state).flatMap((pack) =>
    pack.dependencies
      .map(parseDependency)
      .filter((wanted) => wanted.name === name)
      .map(({ range }) => ({ pack, range })),
  );
}
