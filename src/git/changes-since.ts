import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { VkitError } from '../errors/index.js';

/** Beyond any project; whoever names the root of a large repository is told so. */
const FILES_MAX = 100_000;
const DEPTH_MAX = 32;

/** How a path differs from a commit. */
export type ChangeKind =
  | 'changed'
  /** Only by its line ends: Git changed them on checkout, by `core.autocrlf` or an attribute. */
  | 'line_ends'
  /** In the work tree and not in the commit, ignored or not. */
  | 'untracked'
  /** In the commit and not in the work tree. */
  | 'missing'
  /** A submodule, whose files are in another repository. */
  | 'submodule';

export interface Change {
  /** Relative to the work tree, with `/`. */
  path: string;
  kind: ChangeKind;
}

/** What a commit holds at a path. */
interface Entry {
  mode: string;
  id: string;
}

/**
 * Compares what lies under paths of a work tree with what a commit holds there, byte by byte, sorted by path. Git's index, its
 * marks (assume-unchanged, skip-worktree), filters, attributes, ignore rules and monitors have no say, since they are local
 * to a clone and can hide a change from `git status`. Modes are not compared; nothing here is run.
 */
export async function changesSince(
  git: (args: string[]) => Promise<string>,
  { root, commit, paths }: { root: string; commit: string; paths: readonly string[] },
): Promise<Change[]> {
  if (paths.length === 0) return [];
  const specs = paths.map((path) => (path === '' ? ':(top)' : `:(top,literal)${path}`));
  const tree = ['ls-tree', '-r', '-z', '--full-tree', commit, '--', ...specs];
  const entries = entriesOf(await git(tree));
  const changes = new Map<string, ChangeKind>();
  const present = filesBelow(root, paths);
  for (const path of present) {
    const kind = kindOf(join(root, path), entries.get(path));
    if (kind !== null) changes.set(path, kind);
  }
  for (const [path, { mode }] of entries) {
    if (mode === SUBMODULE) changes.set(path, 'submodule');
    else if (!present.has(path)) changes.set(path, 'missing');
  }
  return [...changes]
    .map(([path, kind]) => ({ path, kind }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

const SUBMODULE = '160000';
const LINK = '120000';

/** Lines of `ls-tree -z`: mode, type, id, a tab and the path. */
function entriesOf(listing: string): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const line of listing.split('\0')) {
    const tab = line.indexOf('\t');
    const [mode = '', , id = ''] = line.slice(0, tab).split(' ');
    if (tab > 0) entries.set(line.slice(tab + 1), { mode, id });
  }
  return entries;
}

/** Everything that is no folder, links included, whatever Git thinks of it. */
function filesBelow(root: string, paths: readonly string[]): Set<string> {
  const found = new Set<string>();
  const rest = paths.map((path) => ({ path, depth: 0 }));
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { path, depth } = next;
    const stats = lstatSync(join(root, path), { throwIfNoEntry: false });
    if (stats === undefined) continue;
    if (!stats.isDirectory()) found.add(path);
    else if (path !== '.git') {
      for (const name of readdirSync(join(root, path))) {
        rest.push({ path: path === '' ? name : `${path}/${name}`, depth: depth + 1 });
      }
    }
    if (depth > DEPTH_MAX || found.size > FILES_MAX) throw tooMuch(path);
  }
  return found;
}

function tooMuch(path: string): VkitError {
  return new VkitError(
    'limit_exceeded',
    `Below ${path} there are more than ${FILES_MAX} files, or folders deeper than ${DEPTH_MAX} levels.`,
    { hint: 'Keep policies and datasources in folders of their own.' },
  );
}

/** Waits for each file: of thousands of small ones that is faster than handing them to other threads. */
function kindOf(file: string, entry: Entry | undefined): ChangeKind | null {
  if (entry === undefined) return 'untracked';
  const { mode, id } = entry;
  const stats = lstatSync(file);
  if (stats.isSymbolicLink() !== (mode === LINK)) return 'changed';
  if (mode === LINK) return blobId(Buffer.from(readlinkSync(file)), id) === id ? null : 'changed';
  // A pipe would never end.
  if (!stats.isFile()) return 'changed';
  const bytes = readFileSync(file);
  if (blobId(bytes, id) === id) return null;
  return blobId(withoutReturns(bytes), id) === id ? 'line_ends' : 'changed';
}

/** The id of a blob in the repository's format: SHA-256 where ids have its length, SHA-1 otherwise. */
function blobId(bytes: Uint8Array, like: string): string {
  const algorithm = like.length === 64 ? 'sha256' : 'sha1';
  return createHash(algorithm).update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

function withoutReturns(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
}
