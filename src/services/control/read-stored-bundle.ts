import { type ParsedBundle, parseBundleText } from '../../bundle/parse-bundle.js';
import { VkitError } from '../../errors/index.js';
import type { BundleFacts, StoreRepositories } from '../../store/model.js';

/**
 * The document of a version, parsed. Throws `unavailable` where it is not the one that was stored: no bundle, or another
 * one, which could be signed just as well.
 */
export async function readStoredBundle(
  from: StoreRepositories,
  { version, checksum }: Pick<BundleFacts, 'version' | 'checksum'>,
): Promise<ParsedBundle> {
  const text = await from.bundles.document(version);
  const parsed = parseText(text ?? 'null');
  if ('problems' in parsed) {
    throw new VkitError('unavailable', `The stored bundle v${version} cannot be read.`, {
      details: { problems: parsed.problems },
    });
  }
  if (parsed.bundle.bundle.checksum === checksum) return parsed;
  throw new VkitError('unavailable', `The stored bundle v${version} is not what was uploaded.`);
}

function parseText(text: string): ReturnType<typeof parseBundleText> {
  try {
    return parseBundleText(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // Somebody changed it: it is no bundle, which is what is said.
    return parseBundleText('null');
  }
}
