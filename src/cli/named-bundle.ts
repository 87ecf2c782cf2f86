import type { Bundle } from '../bundle/model.js';
import { VkitError } from '../errors/index.js';
import { readBundleDocument, readBundleFile } from '../services/read-bundle.js';
import { connect, type ServerFlagValues } from './connect.js';

/** A bundle to compare, and what it is. */
export interface NamedBundle {
  bundle: Bundle;
  origin: BundleOrigin;
}

export interface BundleOrigin {
  /** A path, or a version of the server (`v3`). */
  name: string;
  source: 'file' | 'server';
  org: string;
  bundle_version: string;
  sequence: number;
  checksum: string;
}

const VERSION = /^v\d{1,9}$/;

/**
 * The bundle that an argument names: `v3` and `active` are the server's, everything else is a path (a file of such a name is
 * `./v3`). Throws what reading a file or asking the server throws, and `no_active_bundle`.
 */
export async function readNamedBundle(
  name: string,
  flags: ServerFlagValues,
  version: string,
): Promise<NamedBundle> {
  if (name !== 'active' && !VERSION.test(name)) {
    return named(await readBundleFile(name), name, 'file');
  }
  const { client } = await connect(flags, version);
  const wanted = name === 'active' ? activeOf(await client.listBundles()) : name;
  const { bundle } = await client.showBundle(wanted);
  return named(readBundleDocument(bundle, wanted), wanted, 'server');
}

function activeOf(bundles: readonly { id: string; state: string }[]): string {
  const active = bundles.find(({ state }) => state === 'active');
  if (active !== undefined) return active.id;
  throw new VkitError('no_active_bundle', 'The server has no active bundle to compare with.', {
    hint: 'Name two files: vkit policy diff OLD.json NEW.json',
  });
}

function named(bundle: Bundle, name: string, source: BundleOrigin['source']): NamedBundle {
  const { org_slug, bundle_version, sequence, checksum } = bundle.bundle;
  return { bundle, origin: { name, source, org: org_slug, bundle_version, sequence, checksum } };
}
