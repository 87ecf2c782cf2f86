import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { create } from 'tar';
import { describe, expect, it } from 'vitest';
import { loadPackFiles } from '../../src/packs/load-pack-files.js';
import { readPack } from '../../src/packs/read-pack.js';
import { directoryWith } from '../project/files.js';
import { pack, packDirectory, packFiles } from './packs.js';

type Entry = {
  path: string;
  /** The one-letter type of the header; a regular file if absent. */
  type?: string;
  body?: string;
  linkpath?: string;
};

/** A header and a body as POSIX has them (pax, "ustar Interchange Format"), also where no honest tool would write them so. */
function blocksOf({ path, type = '0', body = '', linkpath = '' }: Entry): Buffer {
  const bytes = Buffer.from(body);
  const header = Buffer.alloc(512);
  const field = (text: string, offset: number) => header.write(text, offset, 'utf8');
  field(path, 0);
  field('0000644\0', 100);
  field('0000000\0', 108);
  field('0000000\0', 116);
  field(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
  field('00000000000\0', 136);
  field('        ', 148);
  field(type, 156);
  field(linkpath, 157);
  field('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  field(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** A record of a pax header: its own length in bytes, the key and the value. */
function pax(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const size = Buffer.byteLength(rest);
  const digits = String(size + String(size).length).length;
  return `${size + digits}${rest}`;
}

function tar(entries: readonly Entry[]): Buffer {
  return Buffer.concat([...entries.map(blocksOf), Buffer.alloc(1024)]);
}

function file(bytes: Uint8Array, name = 'mine.tgz'): string {
  const path = join(directoryWith(), name);
  writeFileSync(path, bytes);
  return path;
}

function archive(entries: readonly Entry[]): string {
  return file(gzipSync(tar(entries)));
}

/** The files of the pack `mine` as entries. */
function entriesOf(prefix = 'mine'): Entry[] {
  return Object.entries(packFiles('mine')).map(([path, body]) => ({
    path: `${prefix}/${path}`,
    body,
  }));
}

function load(file: string) {
  return loadPackFiles(file, '/');
}

describe('a pack in a .tgz', () => {
  it('is the same pack, with the same checksum, as its directory', async () => {
    const directory = packDirectory('mine');
    const target = join(directoryWith(), 'mine-1.0.0.tgz');
    await create({ gzip: true, file: target, cwd: join(directory, '..') }, ['mine']);
    expect(readPack(await load(target)).checksum).toBe((await pack('mine')).checksum);
  });

  it.each([
    ['a path upwards', [{ path: 'mine/../../evil.yaml' }]],
    ['an absolute path', [{ path: '/etc/passwd' }]],
    ['a backslash', [{ path: 'mine/..\\evil.yaml' }]],
    ['a hidden file', [{ path: 'mine/.git' }]],
    ['a symbolic link', [{ path: 'mine/link.yaml', type: '2', linkpath: '/etc/passwd' }]],
    ['a hard link', [{ path: 'mine/link.yaml', type: '1', linkpath: 'mine/metadata.yaml' }]],
    ['a character device', [{ path: 'mine/null', type: '3' }]],
    ['a block device', [{ path: 'mine/disk', type: '4' }]],
    ['a named pipe', [{ path: 'mine/pipe', type: '6' }]],
    ['a contiguous file', [{ path: 'mine/file', type: '7' }]],
    ['a sparse file', [{ path: 'mine/file', type: 'S' }]],
    ['a type that nobody knows', [{ path: 'mine/file', type: 'Z' }]],
    [
      'a link behind a folder that is one',
      [
        { path: 'mine/policies', type: '2', linkpath: '/tmp' },
        { path: 'mine/policies/01_evil.yaml', body: 'id: evil\n' },
      ],
    ],
    ['a newline in a name', [{ path: 'mine/a\nb.yaml' }]],
    ['a code that a terminal obeys in a name', [{ path: 'mine/\u001b[2J.yaml' }]],
    [
      'a pax header that moves a file upwards',
      [
        { path: 'pax', type: 'x', body: pax('path', 'mine/../../evil.yaml') },
        { path: 'mine/harmless.yaml', body: 'x' },
      ],
    ],
    [
      'a pax header that makes a path absolute',
      [
        { path: 'pax', type: 'x', body: pax('path', '/etc/passwd') },
        { path: 'mine/harmless.yaml', body: 'x' },
      ],
    ],
    [
      'a long name of GNU tar that leads upwards',
      [
        { path: '././@LongLink', type: 'L', body: '../'.repeat(50).concat('evil.yaml\0') },
        { path: 'mine/harmless.yaml', body: 'x' },
      ],
    ],
    [
      'a long link name of GNU tar',
      [
        { path: '././@LongLink', type: 'K', body: '/etc/passwd\0' },
        { path: 'mine/link.yaml', type: '2', linkpath: 'x' },
      ],
    ],
    ['two folders', [{ path: 'mine/a.yaml' }, { path: 'other/b.yaml' }]],
    ['a file in no folder', [{ path: 'metadata.yaml' }]],
    [
      'one path twice',
      [
        { path: 'mine/a.yaml', body: 'a' },
        { path: 'mine/a.yaml', body: 'b' },
      ],
    ],
    ['nothing', []],
  ])('is refused with %s', async (_name, entries) => {
    await expect(load(archive(entries))).rejects.toMatchObject({ code: 'invalid_pack' });
  });

  it.each([
    ['paths that begin with ./', [{ path: './', type: '5' }, ...entriesOf('./mine')]],
    [
      'its folders as entries',
      [{ path: 'mine/', type: '5' }, { path: 'mine/policies/', type: '5' }, ...entriesOf()],
    ],
    [
      'a comment of its Git commit',
      [
        { path: 'pax_global_header', type: 'g', body: pax('comment', '0'.repeat(40)) },
        ...entriesOf(),
      ],
    ],
    [
      'a path in a global pax header, which names no file',
      [{ path: 'pax', type: 'g', body: pax('path', '../evil.yaml') }, ...entriesOf()],
    ],
    [
      'times in pax headers',
      entriesOf().flatMap((entry) => [
        { path: 'pax', type: 'x', body: pax('mtime', '1767225600.123') },
        entry,
      ]),
    ],
    [
      'a long name of GNU tar for a file that is none of its own',
      [
        { path: '././@LongLink', type: 'L', body: `mine/docs/${'x'.repeat(120)}.md\0` },
        { path: 'mine/cut', body: 'Words.' },
        ...entriesOf(),
      ],
    ],
  ])('is taken with %s', async (_name, entries) => {
    const { checksum } = await pack('mine');
    expect(readPack(await load(archive(entries))).checksum).toBe(checksum);
  });

  it('is refused with more than 1,000 files', async () => {
    const entries = Array.from({ length: 1_001 }, (_, index) => ({ path: `mine/f${index}.yaml` }));
    await expect(load(archive(entries))).rejects.toThrow('at most 1000 files');
  });

  it('is refused beyond 10 MB unpacked, however small it is packed', async () => {
    await expect(load(file(gzipSync(Buffer.alloc(64 * 1_048_576))))).rejects.toThrow(
      'at most 10 MB',
    );
    const files = Array.from({ length: 11 }, (_, index) => ({
      path: `mine/f${index}.yaml`,
      body: 'x'.repeat(1_048_576),
    }));
    await expect(load(archive(files))).rejects.toThrow('at most 10 MB');
  });

  it('is refused when it is packed twice, which would unpack past any bound', async () => {
    await expect(load(file(gzipSync(gzipSync(tar(entriesOf())))))).rejects.toThrow('packed twice');
    const zstandard = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]);
    await expect(load(file(gzipSync(zstandard)))).rejects.toThrow('packed twice');
  });

  it('is refused when it is no archive, damaged or cut off anywhere', async () => {
    await expect(load(file(Buffer.from('not gzip')))).rejects.toMatchObject({
      code: 'invalid_pack',
    });
    await expect(
      load(file(gzipSync(Buffer.from('not tar at all'.repeat(100))))),
    ).rejects.toMatchObject({
      code: 'invalid_pack',
    });
    const whole = tar(entriesOf());
    const packed = gzipSync(whole);
    await expect(load(file(packed.subarray(0, packed.length - 9)))).rejects.toMatchObject({
      code: 'invalid_pack',
    });
    const bodyOfFirst = 512 + 20;
    await expect(load(file(gzipSync(whole.subarray(0, bodyOfFirst))))).rejects.toMatchObject({
      code: 'invalid_pack',
    });
    const damaged = Buffer.from(whole);
    damaged[3] = (damaged[3] ?? 0) ^ 1;
    await expect(load(file(gzipSync(damaged)))).rejects.toMatchObject({ code: 'invalid_pack' });
  });

  it('shows no code of a path that a terminal obeys', async () => {
    const error = await load(archive([{ path: 'mine/\u001b[2J.yaml' }])).catch((caught) => caught);
    expect(error.message).toContain('\\u001b[2J');
  });
});

describe('a pack in a directory', () => {
  it('is refused with a link in it', async () => {
    const directory = packDirectory('mine');
    mkdirSync(join(directory, 'more'));
    symlinkSync('/etc/passwd', join(directory, 'more/link.yaml'));
    await expect(load(directory)).rejects.toMatchObject({ code: 'invalid_pack' });
  });

  it('is taken through a link that the user named', async () => {
    const link = join(directoryWith(), 'current');
    symlinkSync(packDirectory('mine'), link);
    expect(readPack(await load(link)).metadata.name).toBe('mine');
  });
});
