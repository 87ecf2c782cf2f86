import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parsePolicyFile } from '../../src/policy/parse-policy.js';
import { openPolicyCache, type PolicyCacheOptions } from '../../src/services/policy-cache.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

const TEXT = 'id: a\naction: {deny: true, reason: no, lifts_mask: false}\n';
const parsed = parsePolicyFile(TEXT, 'config/policies/a.yaml');

async function options(): Promise<PolicyCacheOptions> {
  const directory = join(await temporaryFolder(), 'vkit');
  return { directory, root: '/project', build: 'b1', clearances: null, policies: 200 };
}

async function filled(): Promise<{ given: PolicyCacheOptions; file: string }> {
  const given = await options();
  const cache = await openPolicyCache(given);
  expect(cache.get(TEXT)).toBeUndefined();
  cache.put(TEXT, parsed);
  await cache.save();
  const [name = ''] = readdirSync(given.directory);
  return { given, file: join(given.directory, name) };
}

const known = async (given: PolicyCacheOptions, text = TEXT) =>
  (await openPolicyCache(given)).get(text);

describe('the cache of parsed policies', () => {
  it('gives back what parsing said, warnings too, to the same build alone', async () => {
    const { given, file } = await filled();
    const { policy, warnings } = parsed;
    expect(warnings).toHaveLength(1);
    expect(await known(given)).toEqual({ policy, warnings });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(given.directory).mode & 0o777).toBe(0o700);
  });

  it.each<[string, Partial<PolicyCacheOptions>]>([
    ['another build', { build: 'b2' }],
    ['other clearances', { clearances: ['a', 'b'] }],
    ['another project', { root: '/other' }],
    ['a project so small that parsing takes no time', { policies: 199 }],
  ])('knows nothing for %s', async (_what, other) => {
    const { given } = await filled();
    expect(await known({ ...given, ...other })).toBeUndefined();
  });

  it('knows nothing of another text', async () => {
    const { given } = await filled();
    expect(await known(given, `${TEXT} `)).toBeUndefined();
  });

  it.each([0o620, 0o602, 0o666])(
    'does not read what others could have written (%o)',
    async (mode) => {
      const { given, file } = await filled();
      chmodSync(file, mode);
      expect(await known(given)).toBeUndefined();
    },
  );

  it.each(['', '{', 'null', '{"format_version":"v2","entries":{}}', '[]'])(
    'starts anew from a file that holds %j',
    async (content) => {
      const { given, file } = await filled();
      writeFileSync(file, content);
      expect(await known(given)).toBeUndefined();
    },
  );

  it('forgets what was not asked for, and writes nothing where nothing is new', async () => {
    const { given, file } = await filled();
    const cache = await openPolicyCache(given);
    await cache.save();
    expect((await openPolicyCache(given)).get(TEXT)).toBeDefined();
    cache.put('id: b', parsed);
    await cache.save();
    expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')).entries)).toHaveLength(1);
  });

  it('keeps nobody from working where it cannot be written', async () => {
    const given = await options();
    const cache = await openPolicyCache({ ...given, directory: '/dev/null/vkit' });
    cache.put(TEXT, parsed);
    await expect(cache.save()).resolves.toBeUndefined();
  });
});
