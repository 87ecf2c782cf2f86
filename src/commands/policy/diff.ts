import { string as argument } from '@oclif/core/args';
import { boolean, option } from '@oclif/core/flags';
import { compareBundles } from '../../bundle/compare/compare-bundles.js';
import { renderComparisonMarkdown } from '../../bundle/compare/render-markdown.js';
import { BaseCommand } from '../../cli/base-command.js';
import { renderComparison } from '../../cli/comparison-report.js';
import { connect, type ServerFlagValues } from '../../cli/connect.js';
import { countFlag, serverFlags } from '../../cli/flags.js';
import { type BundleOrigin, type NamedBundle, readNamedBundle } from '../../cli/named-bundle.js';
import { renderReplay, replayMarkdown } from '../../cli/replay-report.js';
import type { ReplayAnswer } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';

const BUNDLE = 'dist/policy_bundle.json';

export default class PolicyDiff extends BaseCommand {
  static override summary = 'Show how decisions change between two bundles.';
  static override description =
    `Decides every field for every kind of requester that the policies tell apart, by A and by B, and shows what differs: what widens \
first, then what does both, then what narrows. A dataset or a datasource that stands for something else in the database counts as both, a \
later expiry or none as widening; a lower sequence and another organisation are said. A bundle is a file, a version of the server (v3) or the server's active one (active). With one \
argument that is compared with the active one, with none ${BUNDLE} is. The checksum of a bundle is checked, its signature and its expiry are \
not. With --replay the server also decides its latest requests again under both, each for the moment it was made and with what \
its requester holds now, and says which would be decided differently. Exits 0 whatever changes; with --fail-on-widening 3 when something widens, or could not be compared.`;
  static override examples = [
    '<%= config.bin %> policy diff',
    '<%= config.bin %> policy diff v3 v4',
    '<%= config.bin %> policy diff old.json dist/policy_bundle.json --fail-on-widening',
    '<%= config.bin %> policy diff --replay',
    '<%= config.bin %> policy diff active dist/policy_bundle.json --format markdown > changes.md',
  ];
  static override args = {
    a: argument({ description: 'The bundle before: a file, a version (v3) or active.' }),
    b: argument({ description: 'The bundle after.' }),
  };
  static override flags = {
    ...serverFlags,
    format: option({
      description: 'How the changes are printed.',
      options: ['table', 'markdown', 'json'] as const,
      default: 'table' as const,
    })(),
    replay: boolean({ description: 'Decide past requests again, too.' }),
    'replay-limit': countFlag({
      description: 'Past requests that are decided again (1000), the newest.',
      min: 1,
      max: 5_000,
      dependsOn: ['replay'],
    }),
    'fail-on-widening': boolean({ description: 'Exit 3 when something widens.' }),
  };

  async run(): Promise<object> {
    const { args, flags } = await this.parse(PolicyDiff);
    const isMarkdown = flags.format === 'markdown';
    if (isMarkdown && flags.json) throw new VkitError('usage', 'Give --json or --format markdown.');
    const [before, after] = args.b === undefined ? ['active', args.a ?? BUNDLE] : [args.a, args.b];
    const a = await readNamedBundle(before ?? 'active', flags, this.config.version);
    const b = await readNamedBundle(after, flags, this.config.version);
    const comparison = compareBundles(a.bundle, b.bundle);
    const replay = flags.replay ? await this.replay(a, b, flags) : null;
    for (const warning of comparison.warnings) this.warn(warning);
    const [from, to] = [nameOf(a.origin), nameOf(b.origin)];
    if (isMarkdown)
      process.stdout.write(
        renderComparisonMarkdown(comparison, from, to) + (replay ? replayMarkdown(replay) : ''),
      );
    else {
      this.log(renderComparison(comparison));
      if (replay) this.log(renderReplay(replay));
    }
    const payload = { a: a.origin, b: b.origin, ...comparison, ...(replay ? { replay } : {}) };
    const { widening, changed, not_compared } = comparison.summary;
    const fails =
      flags['fail-on-widening'] && widening + changed + not_compared + widened(replay) > 0;
    return fails ? this.answer(3, payload) : payload;
  }

  private async replay(
    a: NamedBundle,
    b: NamedBundle,
    flags: ServerFlagValues & { 'replay-limit'?: number | undefined },
  ): Promise<ReplayAnswer> {
    const { client } = await connect(flags, this.config.version);
    const asked = ({ origin, document }: NamedBundle) =>
      origin.source === 'server' ? origin.name : document;
    const limit = flags['replay-limit'];
    const answer = await client.replayRequests({
      from: asked(a),
      to: asked(b),
      ...(limit === undefined ? {} : { limit }),
    });
    const { refusal } = answer.to;
    if (refusal) this.warn(`The server would not activate ${b.origin.name}: ${refusal.message}`);
    return answer;
  }
}

function widened(replay: ReplayAnswer | null): number {
  return replay ? replay.summary.widening + replay.summary.changed : 0;
}

/** `v3 (sequence 412, 0123456789ab)` */
function nameOf({ name, sequence, bundle_version }: BundleOrigin): string {
  return `${name} (sequence ${sequence}, ${bundle_version.slice(0, 12)})`;
}
