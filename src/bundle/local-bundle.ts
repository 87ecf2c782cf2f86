import type { Bundle, BundleHeader } from './model.js';

/** What of a bundle decides. */
export interface LocalBundleInput extends Pick<Bundle, 'policies' | 'registry'> {
  /** `deny` if absent. */
  defaultAction?: BundleHeader['default_action'];
  clearances?: readonly string[];
}

/** A bundle to decide by in this process: it comes from no commit, and nobody signs or sends it. */
export function localBundle({
  policies,
  registry,
  defaultAction = 'deny',
  clearances,
}: LocalBundleInput): Bundle {
  return {
    bundle: {
      format_version: 'v1',
      org_slug: '',
      bundle_version: '',
      sequence: 0,
      created_at: '',
      expires_at: null,
      source: { type: 'git', repo: '', commit_sha: '', dirty: false },
      checksum: '',
      installed_packs: [],
      default_action: defaultAction,
      ...(clearances === undefined ? {} : { clearances }),
    },
    registry,
    policies,
    signing: null,
  };
}
