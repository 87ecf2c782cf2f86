import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { VkitError } from '../../src/errors/index.js';
import { installPack } from '../../src/packs/install-pack.js';
import { loadPackFiles, readPackDirectory } from '../../src/packs/load-pack-files.js';
import type { Pack } from '../../src/packs/model.js';
import { readPack } from '../../src/packs/read-pack.js';
import { directoryWith } from '../project/files.js';

export const now = new Date('2026-02-15T15:00:00.123Z');
export const alone = { now, existingPolicies: [] };

/** The metadata of a pack without a band; `lines` are further keys. */
export function meta(name: string, version: string, lines = '', layer = 'custom'): string {
  return `__pack_meta:\n  name: ${name}\n  version: "${version}"\n  layer: ${layer}\n${lines}`;
}

export async function shipped(name: string): Promise<Pack> {
  return readPack(await loadPackFiles(name, '/'));
}

/** The files of a small pack; `changes` replace or (null) drop files. */
export function packFiles(
  name: string,
  changes: Record<string, string | null> = {},
): Record<string, string> {
  const files: Record<string, string | null> = {
    'metadata.yaml': `__pack_meta:\n  name: ${name}\n  version: "1.0.0"\n  layer: custom\n  priority_band: {min: 500, max: 599}\n`,
    [`policies/01_${name}_one.yaml`]: policy(`${name}_one`),
    [`policies/02_${name}_two.yaml`]: policy(`${name}_two`),
    ...changes,
  };
  return Object.fromEntries(
    Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== null),
  );
}

export function policy(id: string, priority: number | null = 510): string {
  return `id: ${id}\ndescription: A policy\n${priority === null ? '' : `priority: ${priority}\n`}match: {fields: {sensitivity: low}}\naction: {allow: true}\n`;
}

export function packDirectory(name: string, changes: Record<string, string | null> = {}): string {
  const files = packFiles(name, changes);
  return join(
    directoryWith(
      Object.fromEntries(Object.entries(files).map(([path, text]) => [`${name}/${path}`, text])),
    ),
    name,
  );
}

export async function pack(
  name: string,
  changes: Record<string, string | null> = {},
): Promise<Pack> {
  return readPack(await readPackDirectory(packDirectory(name, changes)));
}

/** A project with these shipped packs. */
export async function projectWith(...names: string[]): Promise<string> {
  const root = directoryWith({ 'vkit.yaml': 'org: acme\n' });
  for (const name of names) await installPack(root, await shipped(name), alone);
  return root;
}

/** Every file below a directory with its text, to compare before and after. */
export function snapshot(root: string): Record<string, string> {
  const entries = readdirSync(root, { withFileTypes: true, recursive: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(
    paths.map((path) => [path.slice(root.length + 1), readFileSync(path, 'utf8')]),
  );
}

/** Runs what must be refused, checks that it left the project as it was, and returns the error. */
export async function refused(root: string, run: () => Promise<unknown>): Promise<VkitError> {
  const before = snapshot(root);
  const error = await run().then(
    () => new Error('It was not refused.'),
    (caught: unknown) => caught,
  );
  expect(snapshot(root)).toEqual(before);
  expect(error).toBeInstanceOf(VkitError);
  return error as VkitError;
}
