import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ParsedPolicy } from '../policy/parse-policy.js';
import { atomicWrite } from '../util/atomic-write.js';
import { makeFolder } from '../util/make-folder.js';

/** Fewer are parsed before a cache is read. */
const POLICIES_MIN = 200;
const BYTES_MAX = 256 * 1_048_576;
/** Writable for a group or for everybody. */
const WRITABLE_BY_OTHERS = 0o022;

/** What a policy file without problems says. */
export type CachedPolicy = Pick<ParsedPolicy, 'policy' | 'warnings'>;

/** What files said when they were last parsed, by their texts. */
export interface PolicyCache {
  get(text: string): CachedPolicy | undefined;
  put(text: string, parsed: CachedPolicy): void;
  /** Writes what was asked for or put since it was opened, if anything is new. Never fails: a cache is a convenience. */
  save(): Promise<void>;
}

export interface PolicyCacheOptions {
  /** A folder of the user's own, outside of every repository: what lies in one could be committed by somebody else. */
  directory: string;
  /** The project, which has a file of its own. */
  root: string;
  /** Whose parser it was: another build reads nothing of it. */
  build: string;
  clearances: readonly string[] | null;
  /** How many files there are to parse. */
  policies: number;
}

const NONE: PolicyCache = {
  get: () => undefined,
  put: () => undefined,
  save: async () => undefined,
};

/** Opens the cache of a project; one that keeps nothing where there is little to gain. */
export async function openPolicyCache(options: PolicyCacheOptions): Promise<PolicyCache> {
  const { directory, root, build, clearances, policies } = options;
  if (policies < POLICIES_MIN) return NONE;
  const file = join(directory, `policies-${digest(root).slice(0, 32)}.json`);
  const before = await readEntries(file);
  const used: Record<string, CachedPolicy> = Object.create(null);
  let isNew = false;
  const keyOf = (text: string) => digest(JSON.stringify([build, clearances, text]));
  return {
    get: (text) => {
      const key = keyOf(text);
      const known = Object.hasOwn(before, key) ? before[key] : undefined;
      if (known !== undefined) used[key] = known;
      return known;
    },
    put: (text, { policy, warnings }) => {
      used[keyOf(text)] = { policy, warnings };
      isNew = true;
    },
    save: async () => {
      if (!isNew) return;
      try {
        await makeFolder(directory, { mode: 0o700 });
        await atomicWrite(file, JSON.stringify({ format_version: 'v1', entries: used }), {
          mode: 0o600,
        });
      } catch {
        // A full disk or a folder that cannot be written must not keep anybody from compiling.
      }
    },
  };
}

/** What somebody else could have written is not read. */
async function readEntries(file: string): Promise<Readonly<Record<string, CachedPolicy>>> {
  try {
    const handle = await open(file, 'r');
    try {
      const { uid, mode, size } = await handle.stat();
      const isOwn = process.getuid === undefined || uid === process.getuid();
      if (!isOwn || (mode & WRITABLE_BY_OTHERS) !== 0 || size > BYTES_MAX) return {};
      const { format_version: version, entries } = JSON.parse(await handle.readFile('utf8'));
      return version === 'v1' && typeof entries === 'object' && entries !== null ? entries : {};
    } finally {
      await handle.close();
    }
  } catch {
    // None yet, or one that was cut off: everything is parsed.
    return {};
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
