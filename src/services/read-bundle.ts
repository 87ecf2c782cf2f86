import { bundleChecksum } from '../bundle/canonicalise.js';
import type { Bundle } from '../bundle/model.js';
import { parseBundle } from '../bundle/parse-bundle.js';
import { VkitError } from '../errors/index.js';
import { checkBundleFile } from './check-bundle-file.js';

/** A moment before any bundle expires: what one decided may be asked for ever. */
const BEFORE_ALL = new Date(0);

/**
 * Reads the bundle of a file, to ask what it decides and not to enforce it: its checksum must match, who signed it and
 * whether it is expired is not asked. Throws what `checkBundleFile` throws, and `bundle_checksum`.
 */
export async function readBundleFile(file: string): Promise<Bundle> {
  const checked = await checkBundleFile({ file, trustedKeys: [], now: BEFORE_ALL });
  if (checked.verified) return checked.bundle;
  const finding = checked.findings.find(({ severity }) => severity === 'error');
  throw new VkitError('bundle_checksum', finding?.message ?? `${file} does not verify.`, {
    hint: finding?.suggestion ?? 'Compile it again: vkit policy bundle',
  });
}

/** The same for a document that a server gave; `name` is what it is called there. */
export function readBundleDocument(document: unknown, name: string): Bundle {
  const parsed = parseBundle(document);
  if ('problems' in parsed) {
    throw new VkitError('bundle_invalid', `${name} of the server is not a policy bundle.`, {
      hint: 'Server and command line may be of different versions: vkit --version',
      details: { problems: parsed.problems },
    });
  }
  if (bundleChecksum(document) === parsed.bundle.bundle.checksum) return parsed.bundle;
  throw new VkitError('bundle_checksum', `${name} of the server does not match its checksum.`, {
    hint: 'It was changed on its way or on the server; ask whoever runs the server.',
  });
}
