import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { boolean, string } from '@oclif/core/flags';
import { registryOfBundle } from '../../bundle/registry-of-bundle.js';
import { BaseCommand } from '../../cli/base-command.js';
import { serverFlags } from '../../cli/flags.js';
import { readNamedBundle } from '../../cli/named-bundle.js';
import { VkitError } from '../../errors/index.js';
import { REGISTRY_FILE, REGISTRY_PARTS_FOLDER } from '../../project/paths.js';
import { printRegistry } from '../../schema/print-registry.js';
import { writeOutputFile } from '../../services/output-file.js';

export default class RegistryExport extends BaseCommand {
  static override summary = "Write the server's registry as a file of a project.";
  static override description =
    `The registry of the active bundle: datasets, fields, types and tags. Descriptions, comments and what is marked gone are \
in no bundle. Without --output it is printed.`;
  static override examples = [
    '<%= config.bin %> registry export',
    '<%= config.bin %> registry export --output config/registry.yaml',
  ];
  static override flags = {
    ...serverFlags,
    output: string({ char: 'o', description: 'File to write it to.', helpValue: 'FILE' }),
    force: boolean({ description: 'Replace a file that says something else.' }),
  };

  async run(): Promise<object> {
    const { flags } = await this.parse(RegistryExport);
    const { bundle, origin } = await readNamedBundle('active', flags, this.config.version);
    const text = printRegistry(registryOfBundle(bundle));
    const { datasets } = bundle.registry;
    const facts = {
      id: origin.name,
      checksum: origin.checksum,
      datasets: datasets.length,
      fields: datasets.reduce((sum, { fields }) => sum + fields.length, 0),
    };
    if (flags.output === undefined) {
      if (!this.jsonEnabled()) process.stdout.write(text);
      return { ...facts, output: null, registry: text };
    }
    await refuseBesideParts(flags.output);
    await refuseOther(flags.output, text, flags.force);
    await writeOutputFile({ path: flags.output, flag: '--output', makeFolders: true }, text);
    this.log(`Wrote the registry of ${origin.name} to ${flags.output}.`);
    return { ...facts, output: flags.output };
  }
}

/** What people wrote into a registry is in no other place: it is not replaced unasked. */
async function refuseOther(path: string, text: string, force: boolean): Promise<void> {
  if (force) return;
  const present = await readFile(path, 'utf8').catch(() => null);
  if (present === null || present === text || present.trim() === '') return;
  throw new VkitError('file_exists', `${path} is there, and says something else.`, {
    hint: 'See what differs: vkit registry diff — to replace it, and lose its comments and descriptions, which are in no bundle: --force',
  });
}

/** All datasets in one file, beside files that have some of them, are a registry that nothing reads. */
async function refuseBesideParts(path: string): Promise<void> {
  if (basename(path) !== REGISTRY_FILE) return;
  const folder = join(dirname(path), REGISTRY_PARTS_FOLDER);
  const names = await readdir(folder).catch(() => []);
  if (!names.some((name) => /\.ya?ml$/.test(name))) return;
  throw new VkitError('file_exists', `${folder} has registry files of large datasources.`, {
    hint: 'Their datasets would stand in two files. Write it elsewhere, or remove that folder first.',
  });
}
