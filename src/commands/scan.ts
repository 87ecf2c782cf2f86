import { string as stringArg } from '@oclif/core/args';
import { boolean, option } from '@oclif/core/flags';
import { BaseCommand, PRINTED } from '../cli/base-command.js';
import { connect, connectIfLoggedIn } from '../cli/connect.js';
import { countFlag, projectFlags, projectFolderFlags, serverFlags } from '../cli/flags.js';
import { startProgress } from '../cli/progress.js';
import { projectContext } from '../cli/project-context.js';
import {
  cannotLook,
  nextAfterScan,
  registryPlaces,
  renderReasons,
  scanFailure,
  scanWarnings,
} from '../cli/scan-output.js';
import { terminalWidth } from '../cli/terminal-width.js';
import { VkitError } from '../errors/index.js';
import { renderDriftJson } from '../schema/drift-json.js';
import { renderDriftMarkdown } from '../schema/drift-markdown.js';
import { renderDriftText } from '../schema/drift-report.js';
import { renderDriftSarif } from '../schema/drift-sarif.js';
import { chooseDatasource } from '../services/choose-datasource.js';
import { SAMPLE_ROWS_MAX } from '../services/sample-tables.js';
import { scanAll } from '../services/scan-all.js';
import type { ScanOutcome } from '../services/scan-datasource.js';
import { openSourceWith, scanRemote } from '../services/scan-remote.js';

type ScanFlags = Awaited<ReturnType<Scan['read']>>['flags'];

export default class Scan extends BaseCommand {
  static override summary = "Compare a database's schema with the reviewed registry.";
  static override description =
    `Reads the catalog, a row only with --sample, and writes nothing unless --apply is given. Without an ID it \
scans the only datasource there is. With --remote the server reads it, also where you are logged in and it alone has the \
credentials or knows the datasource: they do not leave it. Exits 0 with or without drift, 5 on drift with --fail-on-drift, and 7 when a database \
could not be read: then nobody knows.`;
  static override examples = [
    '<%= config.bin %> scan shop',
    '<%= config.bin %> scan shop --apply',
    '<%= config.bin %> scan --all --fail-on-drift',
    '<%= config.bin %> scan --all --diff > drift.md',
    '<%= config.bin %> scan shop --remote',
  ];
  static override args = { id: stringArg({ description: 'Id of the datasource.' }) };
  static override flags = {
    ...projectFlags,
    ...projectFolderFlags,
    ...serverFlags,
    all: boolean({ description: 'Scan every datasource of the project.' }),
    apply: boolean({ description: 'Update the baseline: registry.yaml and registry.lock.json.' }),
    remote: boolean({ description: 'The server reads the database.' }),
    diff: boolean({ description: 'Print the report as Markdown.' }),
    'fail-on-drift': boolean({ description: 'Exit 5 when there is drift.' }),
    sample: countFlag({
      description: `Also look at the values of at most so many rows of each table with new fields, ${SAMPLE_ROWS_MAX} at most; none is kept.`,
      helpValue: 'ROWS',
      min: 1,
      max: SAMPLE_ROWS_MAX,
    }),
    'with-definitions': boolean({
      description:
        'Record the texts of defaults, comments and views, which can hold secrets, in registry.lock.json.',
    }),
    explain: boolean({ description: 'Say why each new field was classified as it was.' }),
    format: option({
      description: 'How the report is printed.',
      options: ['table', 'json', 'sarif'] as const,
      default: 'table' as const,
    })(),
    mode: option({
      description: 'apply is --apply; diff and diff_only write nothing, which is the default.',
      options: ['diff', 'diff_only', 'apply'] as const,
    })(),
  };

  async run(): Promise<unknown> {
    const { id, flags } = await this.read();
    const options = {
      ...projectContext(flags),
      withDefinitions: flags['with-definitions'],
      apply: flags.apply || flags.mode === 'apply',
      now: () => performance.now(),
      ...(flags.sample === undefined ? {} : { sample: flags.sample }),
      registryDir: flags['registry-dir'],
      datasourcesDir: flags['datasources-dir'],
      policiesDir: flags['policies-dir'],
    };
    const json = this.jsonEnabled();
    const { remote } = flags;
    const connected = await (remote ? connect : connectIfLoggedIn)(flags, this.config.version);
    const client = connected?.client ?? null;
    if (flags.all) {
      const progress = await startProgress('Scanning', { json });
      const result = await scanAll({
        ...options,
        openSource: openSourceWith({ ...options, client, remote }),
        onProgress: ({ running, done, total }) =>
          progress.update(`Scanning ${running.join(', ')} (${done} of ${total} done)`),
      }).finally(() => progress.stop());
      this.print(result.outcomes, flags, options.apply && result.failures.length === 0);
      if (result.failures.length > 0) throw scanFailure(result);
      return this.conclude(
        result.outcomes,
        result.outcomes.map(({ report }) => renderDriftJson(report)),
        flags,
      );
    }
    const chosen = id ?? (await chooseDatasource(options));
    const progress = await startProgress(`Scanning ${chosen}`, { json });
    const outcome = await scanRemote({ ...options, id: chosen, client, remote })
      .catch((error: unknown) => {
        throw cannotLook(error);
      })
      .finally(() => progress.stop());
    this.print([outcome], flags, options.apply);
    return this.conclude([outcome], renderDriftJson(outcome.report), flags);
  }

  private async read() {
    const { args, flags } = await this.parse(Scan);
    const contradiction =
      flags.all && args.id !== undefined
        ? 'Give an ID or --all, not both.'
        : flags.apply && flags.mode !== undefined && flags.mode !== 'apply'
          ? `--apply writes the baseline, and --mode ${flags.mode} does not.`
          : flags.format === 'sarif' && (flags.json || flags.diff)
            ? 'Give one of --json, --diff and --format sarif.'
            : flags.diff && this.jsonEnabled()
              ? 'Give --diff or --json, not both.'
              : undefined;
    if (contradiction !== undefined) throw new VkitError('usage', contradiction);
    return { id: args.id, flags };
  }

  /** Writes what people read, or a whole document in a format that is not JSON's. */
  private print(outcomes: readonly ScanOutcome[], flags: ScanFlags, applied: boolean): void {
    for (const warning of scanWarnings(outcomes)) this.warn(warning);
    const reports = outcomes.map(({ report }) => report);
    if (flags.format === 'sarif') {
      const registryPath = `${flags['registry-dir']}/registry.yaml`;
      const places = registryPlaces(outcomes);
      const options = { vkitVersion: this.config.version, registryPath, places };
      this.logJson(renderDriftSarif(reports, options));
      return;
    }
    if (this.jsonEnabled()) return;
    if (flags.diff) {
      process.stdout.write(renderDriftMarkdown(reports));
    } else {
      for (const [index, report] of reports.entries()) {
        if (index > 0) this.log('');
        process.stdout.write(renderDriftText(report, terminalWidth()));
        if (flags.explain) this.log(`\n${renderReasons(report)}`);
      }
    }
    const isRead = process.stdout.isTTY === true && !flags.diff;
    const next = nextAfterScan(outcomes, { applied, isRead });
    if (next !== '') this.note(`\n${next}`);
  }

  private conclude(outcomes: readonly ScanOutcome[], payload: unknown, flags: ScanFlags): unknown {
    const drift = outcomes.some(({ report }) => report.drift.length > 0);
    const printed = flags.format === 'sarif' ? PRINTED : payload;
    return drift && flags['fail-on-drift'] ? this.answer(5, printed) : printed;
  }
}
