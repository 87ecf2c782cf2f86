import { relative, sep } from 'node:path';
import { openRepository } from './open-repository.js';

/** Where a folder is in its repository, with `/`; '' for the root, and where there is no repository. */
export async function pathInRepository(folder: string): Promise<string> {
  const repository = await openRepository(folder);
  return repository === null ? '' : relative(repository.root, folder).split(sep).join('/');
}
