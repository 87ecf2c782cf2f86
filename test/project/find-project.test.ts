import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findProject } from '../../src/project/find-project.js';
import { directoryWith } from './files.js';

describe('findProject', () => {
  it('walks up to the nearest vkit.yaml', async () => {
    const root = directoryWith({
      'vkit.yaml': '',
      'a/vkit.yaml': '',
      'a/config/policies/x.yaml': '',
    });
    expect(await findProject(join(root, 'a/config/policies'))).toEqual({
      root: join(root, 'a'),
      hasSettings: true,
    });
  });

  it('prefers a vkit.yaml far above to a config folder near by', async () => {
    const root = directoryWith({ 'vkit.yaml': '', 'a/config/policies/x.yaml': '' });
    expect((await findProject(join(root, 'a'))).root).toBe(root);
  });

  it('takes a directory with a config folder where there is no vkit.yaml', async () => {
    const root = directoryWith({ 'config/other.txt': '' });
    expect(await findProject(root)).toEqual({ root, hasSettings: false });
  });

  it('takes a config folder above only if it holds what vkit knows', async () => {
    const root = directoryWith({
      'config/registry.yaml': '',
      'below/app.txt': '',
      'below/deep/config.txt': '',
    });
    expect((await findProject(join(root, 'below/deep'))).root).toBe(root);
    const foreign = directoryWith({ 'config/webpack.js': '', 'below/app.txt': '' });
    await expect(findProject(join(foreign, 'below'))).rejects.toMatchObject({
      code: 'project_not_found',
    });
  });
});
