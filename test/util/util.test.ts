import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { atomicWrite } from '../../src/util/atomic-write.js';
import { formatDuration, formatDurationExactly, parseDuration } from '../../src/util/duration.js';
import { escapeCsvCell, escapeMarkdown, escapeTerminal } from '../../src/util/escape.js';
import { editDistance, nearest } from '../../src/util/levenshtein.js';
import { randomId } from '../../src/util/random-id.js';
import { readYaml } from '../../src/util/read-yaml.js';
import { decodeUtf8, isCleanText } from '../../src/util/utf8.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

describe('atomicWrite', () => {
  it('replaces a file, sets its mode whatever the umask, and leaves nothing else', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a'), 'old');
    await atomicWrite(join(folder, 'a'), 'new', { mode: 0o666 });
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('new');
    expect((await stat(join(folder, 'a'))).mode & 0o777).toBe(0o666);
    expect(await readdir(folder)).toEqual(['a']);
  });

  it('does not replace when asked not to, and leaves the old content', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a'), 'old');
    await expect(atomicWrite(join(folder, 'a'), 'new', { exclusive: true })).rejects.toThrow(
      'EEXIST',
    );
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['a']);
  });

  it('lets exactly one of many exclusive writers win', async () => {
    const folder = await temporaryFolder();
    const writers = Array.from({ length: 20 }, (_, index) =>
      atomicWrite(join(folder, 'a'), `${index}`, { exclusive: true }),
    );
    const results = await Promise.allSettled(writers);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readdir(folder)).toEqual(['a']);
  });

  it('leaves no temporary file behind when it fails', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'a'));
    await expect(atomicWrite(join(folder, 'a'), 'new')).rejects.toThrow();
    expect(await readdir(folder)).toEqual(['a']);
  });
});

describe('readYaml', () => {
  it.each([
    ['in the last line', 'id: a\ndescription: "open\n', '2:14'],
    ['above other lines', 'id: a\ndescription: "open\naction: {deny: true}\nttl: 1h\n', '2:14'],
    ['single', "id: a\nwhen:\n  purpose: 'open\n  environment: test\n", '3:12'],
    ['before one that is closed', 'id: "a\ndescription: "closed"\n', '1:5'],
    ['of a key', '"id: a\n', '1:1'],
    ['in a list', 'tags: ["a", "b\n', '1:13'],
  ])('says where a quote opens that is never closed: %s', (_case, text, place) => {
    const [finding] = readYaml(text).findings;
    expect(`${finding?.line}:${finding?.column} ${finding?.code}`).toBe(`${place} yaml_syntax`);
    expect(finding?.message).toMatch(/the quote that opens here is never closed\.$/);
  });

  it('does not say it of one that is closed', () => {
    const [finding] = readYaml('tags: [ "b, "c" ]\n').findings;
    expect(finding?.message).toContain('Missing , or :');
  });
});

describe('durations', () => {
  it.each([
    [14_400, '4h'],
    [100_830, '1d 4h 30s'],
    [3_661, '1h 1m 1s'],
    [0, '0s'],
  ])('%d seconds are exactly %s', (seconds, text) => {
    expect(formatDurationExactly(seconds)).toBe(text);
  });

  it.each([
    ['30s', 30],
    ['15m', 900],
    ['1h', 3600],
    ['2d', 172_800],
    ['90', 90],
    [90, 90],
  ])('%s is %d seconds', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each(['', '-1s', '1.5h', '1w', '1h30m', '1 h', '0', '9999d', '1e3', '٣s'])(
    'refuses %j',
    (text) => {
      expect(() => parseDuration(text)).toThrow(RangeError);
    },
  );

  it('keeps to its bounds, both included', () => {
    const bounds = { secondsMin: 60, secondsMax: 3600 };
    expect(parseDuration('1m', bounds)).toBe(60);
    expect(parseDuration('1h', bounds)).toBe(3600);
    expect(() => parseDuration('59s', bounds)).toThrow('from 1m to 1h');
    expect(() => parseDuration('3601', bounds)).toThrow(RangeError);
  });

  it.each([
    [0, '0s'],
    [45.9, '45s'],
    [3900, '1h 5m'],
    [172_800, '2d'],
    [90_061, '1d 1h'],
  ])('%d seconds read %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});

describe('suggestions', () => {
  it.each([
    ['kitten', 'sitting', 3],
    ['', 'abc', 3],
    ['ab', 'ba', 1],
    ['same', 'same', 0],
  ])('%s and %s are %d apart', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it('are the nearest candidate, or none when nothing is near', () => {
    expect(nearest('polcy', ['request', 'policy', 'police'])).toBe('policy');
    expect(nearest('xyz', ['request', 'policy'])).toBeUndefined();
    expect(nearest('policy', [])).toBeUndefined();
  });
});

describe('escaping', () => {
  it('shows what a terminal would obey', () => {
    expect(escapeTerminal('a\u001b[2Jb\rc\nd\u202ee\u009b')).toBe(
      'a\\u001b[2Jb\\rc\\nd\\u202ee\\u009b',
    );
    expect(escapeTerminal('żółć 日本 😀')).toBe('żółć 日本 😀');
  });

  it.each([
    '=1+1',
    '+1',
    '-cmd',
    '@SUM(A1)',
    '\t=1',
    ' =1',
    '\r=1',
    '-1+1',
    '-1-1',
    '-1\n',
    '-',
    '-1e',
    '--1',
    '-0x1',
  ])('keeps %j from running', (text) => {
    expect(escapeCsvCell(text).replace(/^"/, '')).toMatch(/^'/);
  });

  it('writes CSV cells as RFC 4180 says, numbers as they are', () => {
    expect(escapeCsvCell('a "b", c')).toBe('"a ""b"", c"');
    expect(escapeCsvCell(-5)).toBe('-5');
    // Integers beyond 2^53 and long decimals are text in JSON, and the same numbers here.
    expect(escapeCsvCell('-9223372036854775808')).toBe('-9223372036854775808');
    expect(escapeCsvCell('-12345678901234567890.123456789')).toBe(
      '-12345678901234567890.123456789',
    );
    expect(escapeCsvCell('-1e+300')).toBe('-1e+300');
    expect(escapeCsvCell(null)).toBe('');
    expect(escapeCsvCell('plain')).toBe('plain');
  });

  it('leaves nothing in Markdown that is more than text', () => {
    expect(escapeMarkdown('[x](http://a) <b> @all `c` | d\n# e')).toBe(
      '\\[x\\]\\(http\\://a\\) &lt;b&gt; &#64;&#8203;all \\`c\\` \\| d\\\\n\\#&#8203; e',
    );
    // GitHub looks for these in the text that comes of it.
    expect(escapeMarkdown('a@b #12 GH-7')).toBe('a&#64;&#8203;b \\#&#8203;12 GH\\-&#8203;7');
  });
});

describe('text', () => {
  it.each([
    ['plain', true],
    ['😀', true],
    ['\ud83d', false],
    ['\ude00\ud83d', false],
    ['a\0b', false],
  ])('%j is clean: %j', (text, clean) => {
    expect(isCleanText(text)).toBe(clean);
  });

  it('is decoded as a whole or not at all', () => {
    expect(decodeUtf8(Buffer.from('żółć'))).toBe('żółć');
    expect(decodeUtf8(Uint8Array.of(0x61, 0xc3))).toBeUndefined();
  });
});

it('ids are of one form and never the same', () => {
  const ids = Array.from({ length: 1000 }, () => randomId('req'));
  expect(ids.filter((id) => !/^req_[a-z2-7]{26}$/.test(id))).toEqual([]);
  expect(new Set(ids).size).toBe(ids.length);
});
