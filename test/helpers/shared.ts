import { afterAll, beforeAll } from 'vitest';
import type { AtTheEnd } from './temporary-folder.js';

/** Something that the tests of a file share because it is slow to make: made before the first, cleaned up after the last. */
export function shared<T extends object>(make: (atTheEnd: AtTheEnd) => Promise<T>): () => T {
  const ends: (() => Promise<void>)[] = [];
  let made: T | undefined;
  beforeAll(async () => {
    made = await make((clean) => ends.unshift(clean));
  });
  afterAll(async () => {
    for (const clean of ends) await clean();
  });
  return () => {
    if (!made) throw new Error('It is made before the first test, not while tests are collected.');
    return made;
  };
}
