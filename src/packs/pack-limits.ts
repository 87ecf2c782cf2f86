import { VkitError } from '../errors/index.js';

/** packs.md: what a pack may hold, unpacked. */
export const PACK_FILES_MAX = 1_000;
export const PACK_BYTES_MAX = 10 * 1_048_576;
export const PACK_DEPTH_MAX = 16;

/** Counts the files of a pack while they are read, and throws `invalid_pack` at the first one too many. */
export function packCounter(): (bytes: number) => void {
  let files = 0;
  let total = 0;
  return (bytes) => {
    files += 1;
    total += bytes;
    if (files > PACK_FILES_MAX) throw invalidPack(`A pack holds at most ${PACK_FILES_MAX} files.`);
    if (total > PACK_BYTES_MAX) throw invalidPack('A pack holds at most 10 MB.');
  };
}

export function invalidPack(message: string, hint?: string): VkitError {
  return new VkitError(
    'invalid_pack',
    `InvalidPack: ${message}`,
    hint === undefined ? {} : { hint },
  );
}
