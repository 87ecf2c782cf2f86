import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '@oclif/core/command';
import { Config } from '@oclif/core/config';
import type { Plugin, Topic } from '@oclif/core/interfaces';
import { packageRoot } from '../util/package-root.js';

/** A command's class, loaded when it runs; keyed by id (`keys:generate`). */
export type CommandTable = Readonly<Record<string, () => Promise<Command.Class>>>;

type Manifest = { commands: Record<string, Command.Cached> };
type PackageFile = Plugin['pjson'] & {
  oclif: { topics?: Record<string, { description: string }> };
};

/**
 * oclif's configuration with the commands of the table. What help and parsing of ids need comes from
 * oclif.manifest.json, so no command is loaded before it is known which one runs; and oclif's own
 * plugin is replaced by a literal one, since finding and reading plugins is most of its start.
 */
export async function loadConfig(table: CommandTable): Promise<Config> {
  const root = packageRoot();
  const pjson: PackageFile = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const manifest: Manifest = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8'));
  const plugin = rootPlugin(root, pjson, manifest, table);
  const config = new Config({ root, pjson, plugins: new Map([[plugin.name, plugin]]) });
  await config.load();
  return config;
}

function rootPlugin(
  root: string,
  pjson: PackageFile,
  manifest: Manifest,
  table: CommandTable,
): Plugin {
  async function findCommand(id: string): Promise<Command.Class> {
    const load = table[id];
    if (!load) throw new Error(`The manifest has ${id}, which the build does not.`);
    const command = await load();
    command.id = id;
    return command;
  }
  const commands = Object.entries(manifest.commands).map(([id, cached]) => ({
    ...cached,
    load: () => findCommand(id),
  }));
  return {
    _base: 'vkit',
    alias: pjson.name,
    commandIDs: Object.keys(manifest.commands),
    commands,
    commandsDir: undefined,
    findCommand,
    hasManifest: true,
    hooks: {},
    isRoot: true,
    load: async () => undefined,
    moduleType: 'module',
    name: pjson.name,
    options: { root },
    pjson,
    root,
    topics: topicsOf(pjson),
    type: 'core',
    valid: true,
    version: pjson.version,
  };
}

function topicsOf(pjson: PackageFile): Topic[] {
  return Object.entries(pjson.oclif.topics ?? {}).map(([name, topic]) => ({
    name: name.replaceAll(' ', ':'),
    description: topic.description,
  }));
}
