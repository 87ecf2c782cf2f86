import { setTimeout as sleep } from 'node:timers/promises';
import { boolean, string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { connectIfLoggedIn } from '../../cli/connect.js';
import { driftFailure, renderPullRequest, toPullRequestJson } from '../../cli/drift-pr-output.js';
import { projectFlags, projectFolderFlags, serverFlags } from '../../cli/flags.js';
import { interruptOnTerminate } from '../../cli/interrupt.js';
import { startProgress } from '../../cli/progress.js';
import { projectContext } from '../../cli/project-context.js';
import { scanWarnings } from '../../cli/scan-output.js';
import { readEnvironment } from '../../config/env.js';
import { readGitEnvironment, readGitRemoteEnvironment } from '../../config/git-environment.js';
import { driftPullRequest } from '../../services/drift-pull-request.js';
import { proxiedFetch } from '../../util/proxied-fetch.js';

export default class DriftPr extends BaseCommand {
  static override summary = 'Keep one pull request on GitHub with the drift of every datasource.';
  static override description =
    `Scans every datasource as the default branch of the remote has them, and opens, updates or \
closes one pull request from the branch vkit/drift. Work tree, index and branches here are not touched, nor the default branch \
there. Running it twice is the same as once. GITHUB_TOKEN may write contents and pull requests; GITHUB_REPOSITORY (else the remote's \
address) and GITHUB_API_URL are honoured. Datasources with credentials: vaultkit are read by the server, where you are logged in or VKIT_TOKEN \
says who you are. Exits 0 with or without drift, and 7 when a database could not be read.`;
  static override examples = ['<%= config.bin %> drift pr', '<%= config.bin %> drift pr --dry-run'];
  static override flags = {
    ...projectFlags,
    ...projectFolderFlags,
    ...serverFlags,
    'dry-run': boolean({ description: 'Print the report; push nothing, and ask GitHub nothing.' }),
    'remote-name': string({
      description: 'Git remote of the repository on GitHub.',
      default: 'origin',
      helpValue: 'NAME',
    }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(DriftPr);
    const dryRun = flags['dry-run'];
    const environment = readEnvironment();
    interruptOnTerminate();
    const connected = await connectIfLoggedIn(flags, this.config.version);
    const progress = await startProgress('Fetching', { json: this.jsonEnabled() });
    const result = await driftPullRequest({
      ...projectContext(flags),
      client: connected?.client ?? null,
      now: () => performance.now(),
      registryDir: flags['registry-dir'],
      datasourcesDir: flags['datasources-dir'],
      policiesDir: flags['policies-dir'],
      remote: flags['remote-name'],
      dryRun,
      github: environment.github,
      gitEnvironment: readGitEnvironment(),
      remoteEnvironment: readGitRemoteEnvironment(),
      fetch: proxiedFetch(environment.proxy),
      userAgent: `vkit/${this.config.version}`,
      sleep: (ms) => sleep(ms),
      clock: () => Date.now(),
      onProgress: ({ running, done, total }) =>
        progress.update(`Scanning ${running.join(', ')} (${done} of ${total} done)`),
    }).finally(() => progress.stop());
    for (const warning of scanWarnings(result.outcomes)) this.warn(warning);
    // What could not be looked at is named at its top.
    if (dryRun && !this.jsonEnabled()) process.stdout.write(result.body);
    if (result.failures.length > 0) throw driftFailure(result);
    const done = renderPullRequest(result, { dryRun });
    if (dryRun) this.note(done);
    else this.log(done);
    return toPullRequestJson(result, { dryRun });
  }
}
