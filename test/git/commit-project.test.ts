import { execFileSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commitProject } from '../../src/git/commit-project.js';
import { openRepository } from '../../src/git/open-repository.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

const AUTHOR = { name: 'vkit demo', email: 'demo@shop.test' };

/** A home whose configuration would refuse, sign, change and hide what is committed. */
async function oddHome(): Promise<string> {
  const home = await temporaryFolder();
  const hooks = join(home, 'hooks');
  await mkdir(hooks);
  await writeFile(join(hooks, 'pre-commit'), '#!/bin/sh\nexit 1\n');
  await chmod(join(hooks, 'pre-commit'), 0o755);
  await writeFile(join(home, 'ignore'), '*\n');
  const lines = [
    '[user]\n useConfigOnly = true',
    '[commit]\n gpgSign = true\n template = /nonexistent',
    `[core]\n hooksPath = ${hooks}\n autocrlf = true\n excludesFile = ${join(home, 'ignore')}`,
    '[init]\n defaultBranch = "not a branch"\n templateDir = /nonexistent',
  ];
  await writeFile(join(home, '.gitconfig'), lines.join('\n'));
  return home;
}

describe('commitProject', () => {
  it('commits everything that is not ignored, whatever the configuration of the person says', async () => {
    const root = await temporaryFolder();
    const environment = { PATH: process.env.PATH ?? '', HOME: await oddHome() };
    await writeFile(join(root, '.gitignore'), 'keys/\n');
    await writeFile(join(root, 'vkit.yaml'), 'org: shop\n');
    await mkdir(join(root, 'keys'));
    await writeFile(join(root, 'keys', 'vkit_priv.pem'), 'secret');
    await commitProject({ root, message: 'Rules', author: AUTHOR, environment });

    const log = execFileSync('git', ['-C', root, 'log', '--format=%an <%ae> %s', '--name-only']);
    expect(log.toString().split('\n').filter(Boolean)).toEqual([
      'vkit demo <demo@shop.test> Rules',
      '.gitignore',
      'vkit.yaml',
    ]);
    const repository = await openRepository(root);
    expect(await repository?.firstParentCount()).toBe(1);
    expect(await repository?.changesSince('HEAD', [join(root, 'vkit.yaml')])).toEqual([]);
  });

  it('says that Git is missing where it is', async () => {
    const root = await temporaryFolder();
    const input = { root, message: 'Rules', author: AUTHOR, environment: { PATH: root } };
    await expect(commitProject(input)).rejects.toMatchObject({ code: 'dependency_missing' });
  });

  it('says which step Git refused, not what it printed', async () => {
    const root = await temporaryFolder();
    const environment = { PATH: process.env.PATH ?? '' };
    const input = { root, message: 'Rules', author: AUTHOR, environment };
    // Nothing was written, so there is nothing to commit.
    await expect(commitProject(input)).rejects.toMatchObject({
      code: 'git_failed',
      message: 'Git could not do "git commit".',
    });
  });
});
