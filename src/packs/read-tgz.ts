import { readFile, stat } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { VkitError } from '../errors/index.js';
import type { PackFiles } from './model.js';
import {
  invalidPack,
  PACK_BYTES_MAX,
  PACK_DEPTH_MAX,
  PACK_FILES_MAX,
  packCounter,
} from './pack-limits.js';

/** Headers and padding: at most two blocks of 512 bytes a file, with as many again for folders and long names. */
const TAR_BYTES_MAX = PACK_BYTES_MAX + PACK_FILES_MAX * 512 * 6;
const ENTRIES_MAX = PACK_FILES_MAX * 2;

/** How gzip and Zstandard begin (RFC 1952, RFC 8878). */
const PACKED_TWICE = [Buffer.from([0x1f, 0x8b]), Buffer.from([0x28, 0xb5, 0x2f, 0xfd])];

/**
 * Reads a pack from a `.tgz` without unpacking it to disk: regular files under one folder only; no links, no absolute
 * or `..` paths, no path twice, at most 1,000 files and 10 MB. Throws `invalid_pack`.
 */
export async function readTgz(path: string): Promise<PackFiles> {
  if ((await stat(path)).size > PACK_BYTES_MAX) throw invalidPack('A pack holds at most 10 MB.');
  const files = new Map<string, Uint8Array>();
  const folders = new Set<string>();
  const count = packCounter();
  let entries = 0;
  await parseTar(unzip(await readFile(path)), (entry, body) => {
    entries += 1;
    if (entries > ENTRIES_MAX)
      throw invalidPack(`An archive holds at most ${ENTRIES_MAX} entries.`);
    // What `tar -C packs .` writes for the folder itself.
    if (entry.type === 'Directory' && /^\.\/?$/.test(entry.path)) return;
    const segments = safeSegments(entry);
    folders.add(segments[0] ?? '');
    if (folders.size > 1) throw invalidPack('The archive holds more than one folder.');
    if (entry.type === 'Directory') return;
    if (segments.length < 2) throw invalidPack(`The file ${quote(entry.path)} is not in a folder.`);
    count(body.length);
    const inside = segments.slice(1).join('/');
    if (files.has(inside)) throw invalidPack(`The archive holds ${quote(inside)} twice.`);
    files.set(inside, body);
  });
  const [directory] = folders;
  if (directory === undefined) throw invalidPack('The archive is empty.');
  return { directory, files };
}

function unzip(bytes: Uint8Array): Buffer {
  let tar: Buffer;
  try {
    tar = gunzipSync(bytes, { maxOutputLength: TAR_BYTES_MAX });
  } catch (cause) {
    const tooLarge = cause instanceof RangeError;
    throw tooLarge
      ? invalidPack('A pack holds at most 10 MB.')
      : invalidPack('The file is not a gzip archive.');
  }
  // The parser would unpack these by itself, past the bound above.
  if (PACKED_TWICE.some((magic) => tar.subarray(0, magic.length).equals(magic)))
    throw invalidPack('The archive is packed twice.');
  return tar;
}

/** Gives each entry with its body, in order; the first error of the archive or of `take` ends it. */
async function parseTar(
  bytes: Buffer,
  take: (entry: ReadEntry, body: Buffer) => void,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const parser = new Parser({
      strict: true,
      onReadEntry: (entry) => {
        const chunks: Buffer[] = [];
        entry.on('data', (chunk: Buffer) => chunks.push(chunk));
        entry.on('end', () => {
          try {
            take(entry, Buffer.concat(chunks));
          } catch (error) {
            reject(error);
          }
        });
      },
    });
    parser.on('ignoredEntry', (entry: ReadEntry) =>
      reject(invalidPack(`${quote(entry.path)} is not a regular file.`)),
    );
    parser.on('error', (cause: unknown) =>
      reject(cause instanceof VkitError ? cause : invalidPack('The archive is damaged.')),
    );
    parser.on('end', () => resolve());
    parser.end(bytes);
  });
}

function safeSegments(entry: ReadEntry): string[] {
  const { path, type } = entry;
  if (type !== 'File' && type !== 'OldFile' && type !== 'Directory') {
    throw invalidPack(`${quote(path)} is a link or a special file.`);
  }
  const segments = path.replace(/^\.\//, '').replace(/\/$/, '').split('/');
  const unsafe = segments.some((segment) => !/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(segment));
  if (unsafe || segments.length > PACK_DEPTH_MAX)
    throw invalidPack(`The path ${quote(path)} is not allowed in a pack.`);
  return segments;
}

function quote(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}
