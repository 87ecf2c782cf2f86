import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { expect, inject, it } from 'vitest';
import { packageRoot } from '../../src/util/package-root.js';

it('the package that npm would publish holds together', async () => {
  expect(inject('buildError')).toBe('');
  const { messages, pkg } = await publint({ pkgDir: packageRoot(), strict: true });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});
