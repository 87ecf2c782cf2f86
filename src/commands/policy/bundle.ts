import { access } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { boolean, string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { renderFacts } from '../../cli/facts.js';
import { countFlag, projectFlags, projectFolderFlags } from '../../cli/flags.js';
import { cacheOptions, projectContext } from '../../cli/project-context.js';
import { readEnvironment } from '../../config/env.js';
import { formatProblem, VkitError } from '../../errors/index.js';
import { findProject } from '../../project/find-project.js';
import { PROJECT_PATHS } from '../../project/paths.js';
import { buildBundle } from '../../services/build-bundle.js';

export default class PolicyBundle extends BaseCommand {
  static override summary = 'Compile and sign policies, registry and datasources into one file.';
  static override description =
    `Compiles what is committed, so that the same commit gives the same bundle everywhere. The key is \
--key, VKIT_PRIVATE_KEY, or the project's .vkit/keys/vkit_priv.pem.`;
  static override examples = [
    '<%= config.bin %> policy bundle',
    '<%= config.bin %> policy bundle --key /run/secrets/vkit_priv.pem --expires 30d',
  ];
  static override flags = {
    ...projectFlags,
    ...projectFolderFlags,
    out: string({
      description: 'The file to write.',
      helpValue: 'FILE',
      default: PROJECT_PATHS.bundle,
    }),
    org: string({ description: 'Organisation; else the one of vkit.yaml.', helpValue: 'NAME' }),
    key: string({
      description: 'Private key (PEM) to sign with.',
      helpValue: 'FILE',
      exclusive: ['unsigned'],
    }),
    unsigned: boolean({ description: 'Do not sign; servers refuse such a bundle by default.' }),
    sequence: countFlag({ description: 'Instead of the number of first-parent commits.' }),
    expires: string({
      description: 'When the bundle stops serving: 30d from the commit, or a time.',
      helpValue: '30d',
    }),
    ref: string({ description: 'Branch or tag to name in the bundle.', helpValue: 'NAME' }),
    'allow-dirty': boolean({
      description: 'Compile uncommitted changes too; servers refuse such a bundle by default.',
    }),
  };

  async run(): Promise<object> {
    const { flags } = await this.parse(PolicyBundle);
    const { root } = await findProject(projectContext(flags).cwd);
    const keyFile = flags.unsigned ? undefined : await this.signingKey(flags.key, root);
    const { bundle, file, warnings } = await buildBundle({
      root,
      ...cacheOptions(),
      policiesDir: flags['policies-dir'],
      registryDir: flags['registry-dir'],
      datasourcesDir: flags['datasources-dir'],
      // A path that somebody typed is of where they stand; the default one is of the project.
      out: flags.out === PROJECT_PATHS.bundle ? flags.out : resolve(flags.out),
      allowDirty: flags['allow-dirty'],
      ...(keyFile === undefined ? {} : { keyFile }),
      ...(flags.org === undefined ? {} : { org: flags.org }),
      ...(flags.sequence === undefined ? {} : { sequence: flags.sequence }),
      ...(flags.expires === undefined ? {} : { expires: flags.expires }),
      ...(flags.ref === undefined ? {} : { ref: flags.ref }),
    });
    for (const warning of warnings) {
      const { message, suggestion = '' } = warning;
      if (warning.code === 'repo_unknown') {
        // So it is with every repository that has no remote yet.
        this.note(`${message} ${suggestion}`.trim());
        continue;
      }
      // What is said of the project as a whole has no place in a file.
      const isNote = warning.file === PROJECT_PATHS.settings;
      this.warn(isNote ? `${message} ${suggestion}`.trim() : formatProblem(warning));
    }
    const { bundle: header, registry, policies, signing } = bundle;
    const shown = relative(process.cwd(), file) || file;
    const packs = header.installed_packs.map(({ name, version }) => `${name} v${version}`);
    this.log(`Wrote ${shown}`);
    this.log(
      renderFacts([
        ['organisation', header.org_slug],
        ['commit', header.bundle_version],
        ['sequence', header.sequence],
        ['policies', policies.length],
        ['datasets', registry.datasets.length],
        ['packs', packs.join(', ') || 'none'],
        ['expires', header.expires_at ?? 'never'],
        ['checksum', header.checksum],
        ['signed by key', signing?.key_id ?? 'none: not signed'],
      ]),
    );
    const named = flags.out === PROJECT_PATHS.bundle ? '' : ` --bundle ${shown}`;
    this.note(`Next: vkit policy deploy${named}`);
    return {
      file,
      org: header.org_slug,
      bundle_version: header.bundle_version,
      sequence: header.sequence,
      checksum: header.checksum,
      policies: policies.length,
      datasets: registry.datasets.length,
      datasources: registry.datasources.length,
      installed_packs: header.installed_packs,
      expires_at: header.expires_at,
      dirty: header.source.dirty,
      key_id: signing?.key_id ?? null,
      alg: signing?.alg ?? null,
      warnings,
    };
  }

  /** Relative paths are of the working directory, as everywhere on a command line. */
  private async signingKey(flag: string | undefined, root: string): Promise<string> {
    const named = flag ?? readEnvironment().privateKeyFile;
    if (named !== undefined) return resolve(named);
    const own = join(root, PROJECT_PATHS.keys, 'vkit_priv.pem');
    const exists = await access(own).then(
      () => true,
      () => false,
    );
    if (exists) return own;
    throw new VkitError('usage', 'There is no key to sign the bundle with.', {
      hint: 'Make one with: vkit keys generate — or name one with --key FILE or VKIT_PRIVATE_KEY, or give --unsigned.',
    });
  }
}
