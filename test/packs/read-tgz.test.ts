import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { create, Header } from 'tar';
import { describe, expect, it } from 'vitest';
import { loadPackFiles } from '../../src/packs/load-pack-files.js';
import { readPack } from '../../src/packs/read-pack.js';
import { directoryWith } from '../project/files.js';
import { pack, packDirectory } from './packs.js';

/** An archive of handmade headers: what no honest tool would write. */
function archive(
  entries: readonly {
    path: string;
    type?: 'File' | 'SymbolicLink' | 'Link' | 'Directory' | 'CharacterDevice';
    body?: string;
    linkpath?: string;
  }[],
): string {
  const blocks = entries.flatMap(({ path, type = 'File', body = '', linkpath }) => {
    const block = Buffer.alloc(512);
    new Header({
      path,
      type,
      size: body.length,
      mode: 0o644,
      mtime: new Date(0),
      ...(linkpath === undefined ? {} : { linkpath }),
    }).encode(block, 0);
    return [block, Buffer.from(body), Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  const file = join(directoryWith(), 'mine.tgz');
  writeFileSync(file, gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)])));
  return file;
}

function load(file: string) {
  return loadPackFiles(file, '/');
}

describe('a pack in a .tgz', () => {
  it('is the same pack, with the same checksum, as its directory', async () => {
    const directory = packDirectory('mine');
    const file = join(directoryWith(), 'mine-1.0.0.tgz');
    await create({ gzip: true, file, cwd: join(directory, '..') }, ['mine']);
    expect(readPack(await load(file)).checksum).toBe((await pack('mine')).checksum);
  });

  it.each([
    ['a path upwards', [{ path: 'mine/../../evil.yaml' }]],
    ['an absolute path', [{ path: '/etc/passwd' }]],
    ['a backslash', [{ path: 'mine/..\\evil.yaml' }]],
    ['a hidden file', [{ path: 'mine/.git' }]],
    [
      'a symbolic link',
      [{ path: 'mine/link.yaml', type: 'SymbolicLink' as const, linkpath: '/etc/passwd' }],
    ],
    [
      'a hard link',
      [{ path: 'mine/link.yaml', type: 'Link' as const, linkpath: 'mine/metadata.yaml' }],
    ],
    ['a device', [{ path: 'mine/null', type: 'CharacterDevice' as const }]],
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

  it('is refused with more than 1,000 files', async () => {
    const entries = Array.from({ length: 1_001 }, (_, index) => ({ path: `mine/f${index}.yaml` }));
    await expect(load(archive(entries))).rejects.toThrow('at most 1000 files');
  });

  it('is refused beyond 10 MB unpacked, however small it is packed', async () => {
    const file = join(directoryWith(), 'bomb.tgz');
    writeFileSync(file, gzipSync(Buffer.alloc(64 * 1_048_576)));
    await expect(load(file)).rejects.toThrow('at most 10 MB');
    const files = Array.from({ length: 11 }, (_, index) => ({
      path: `mine/f${index}.yaml`,
      body: 'x'.repeat(1_048_576),
    }));
    await expect(load(archive(files))).rejects.toThrow('at most 10 MB');
  });

  it('is refused when it is no archive or cut off', async () => {
    const file = join(directoryWith(), 'x.tgz');
    writeFileSync(file, 'not gzip');
    await expect(load(file)).rejects.toMatchObject({ code: 'invalid_pack' });
    writeFileSync(file, gzipSync(Buffer.from('not tar at all'.repeat(100))));
    await expect(load(file)).rejects.toMatchObject({ code: 'invalid_pack' });
  });
});

describe('a pack in a directory', () => {
  it('is refused with a link in it', async () => {
    const directory = packDirectory('mine');
    mkdirSync(join(directory, 'more'));
    symlinkSync('/etc/passwd', join(directory, 'more/link.yaml'));
    await expect(load(directory)).rejects.toMatchObject({ code: 'invalid_pack' });
  });
});
