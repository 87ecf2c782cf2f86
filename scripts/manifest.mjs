import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Plugin } from '@oclif/core';

/**
 * The text of oclif.manifest.json: what help, completion and the finding of a command need, so that
 * no command is loaded for it. Keys are sorted, so that equal commands give equal bytes.
 * @param {string} root
 * @param {string} tableFile the module that exports `COMMANDS`
 * @returns {Promise<string>}
 */
export async function manifestOf(root, tableFile) {
  const pjson = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const plugin = new Plugin({
    root,
    pjson,
    isRoot: true,
    ignoreManifest: true,
    errorOnManifestCreate: true,
  });
  const { COMMANDS } = await import(pathToFileURL(tableFile).href);
  Object.assign(plugin, { commandCache: COMMANDS });
  await plugin.load();
  return `${JSON.stringify(sorted(plugin.manifest), null, 2)}\n`;
}

/**
 * @param {unknown} value
 * @returns {unknown}
 */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, sorted(entry)]),
  );
}
