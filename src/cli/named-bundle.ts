import { readFile } from 'node:fs/promises';
import type { Bundle } from '../bundle/model.js';
import { readBundleDocument, readBundleFile } from '../services/read-bundle.js';
import { connect, type ServerFlagValues } from './connect.js';

/** A bundle to compare, and what it is. */
export interface NamedBundle {
  bundle: Bundle;
  /** As it was written: what its checksum is of. */
  document: unknown;
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
    const bundle = await readBundleFile(name);
    const document: unknown = JSON.parse(await readFile(name, 'utf8'));
    return { ...named(bundle, name, 'file'), document };
  }
  const { client } = await connect(flags, version);
  const { id, bundle } = await client.showBundle(name);
  return { ...named(readBundleDocument(bundle, id), id, 'server'), document: bundle };
}

function named(
  bundle: Bundle,
  name: string,
  source: BundleOrigin['source'],
): Omit<NamedBundle, 'document'> {
  const { org_slug, bundle_version, sequence, checksum } = bundle.bundle;
  return { bundle, origin: { name, source, org: org_slug, bundle_version, sequence, checksum } };
}
