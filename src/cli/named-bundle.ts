import type { Bundle } from '../bundle/model.js';
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
 * `./v3`). Throws what reading a file or asking the server throws.
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
  const { id, bundle } = await client.showBundle(name);
  return named(readBundleDocument(bundle, id), id, 'server');
}

function named(bundle: Bundle, name: string, source: BundleOrigin['source']): NamedBundle {
  const { org_slug, bundle_version, sequence, checksum } = bundle.bundle;
  return { bundle, origin: { name, source, org: org_slug, bundle_version, sequence, checksum } };
}
