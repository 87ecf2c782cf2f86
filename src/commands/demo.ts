import { boolean, string } from '@oclif/core/flags';
import { BaseCommand, PRINTED } from '../cli/base-command.js';
import { openPage } from '../cli/demo/page.js';
import { type DemoFacts, runDemo, type Told } from '../cli/demo/run-demo.js';
import {
  type ServingFacts,
  servingFacts,
  tellEnding,
  tellServing,
} from '../cli/demo/tell-ending.js';
import { stopRequests } from '../cli/stop-requests.js';
import { readDatasourceVariables } from '../config/datasource-credentials.js';
import { readEnvironment } from '../config/env.js';
import { readGitEnvironment } from '../config/git-environment.js';

/** Where the demo's project stays; null where nothing does. */
type Payload = DemoFacts & { kept: string | null; duration_ms: number; server?: ServingFacts };

export default class Demo extends BaseCommand {
  static override summary = 'See what vkit does, with nothing to configure.';
  static override description =
    `Tells the whole story on sample data: a scan, policies, a signed bundle, the same query by a person and \
by an AI agent, a denial, an approval, the audit log. On embedded SQLite in a temporary folder that is removed at the \
end, or on a PostgreSQL or MySQL server, in a schema or database of its own, which is dropped. Exits 0 only when every step came out as told.`;
  static override examples = [
    '<%= config.bin %> demo',
    '<%= config.bin %> demo --keep ./vkit-demo',
    'VKIT_DS_SHOP_PASSWORD=… <%= config.bin %> demo --url postgres://me@localhost/test',
    '<%= config.bin %> demo --url mysql://me@localhost',
    '<%= config.bin %> demo --serve',
  ];
  static override flags = {
    url: string({
      description:
        'A PostgreSQL, MySQL or MariaDB server to tell it on, in a new schema or database that is dropped at the end.',
      helpValue: 'URL',
    }),
    keep: string({
      description: 'Keep the project in this folder, which must be new or empty.',
      helpValue: 'DIR',
    }),
    serve: boolean({ description: 'Leave the server running on 127.0.0.1 until Ctrl-C.' }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Demo);
    const startedAt = performance.now();
    const page = this.jsonEnabled() ? null : openPage();
    const stop = stopRequests();
    try {
      const { username, password } = readDatasourceVariables('shop');
      const options = {
        ...(flags.url === undefined ? {} : { url: flags.url }),
        ...(flags.keep === undefined ? {} : { keep: flags.keep }),
        credentials: {
          ...(username === undefined ? {} : { username }),
          ...(password === undefined ? {} : { password }),
        },
        gitEnvironment: readGitEnvironment(),
        signal: stop.signal,
        page,
      };
      return await runDemo(options, async (told) => {
        const duration_ms = Math.round(performance.now() - startedAt);
        const { root, kept } = told.workspace;
        const payload = { ...told.facts, kept: kept ? root : null, duration_ms };
        const ending = {
          seconds: duration_ms / 1000,
          serve: flags.serve,
          inCheckout: inCheckout(),
        };
        if (page !== null) tellEnding(page, told.workspace, ending);
        if (!flags.serve) return payload;
        return this.serve(told, payload, stop.signal);
      });
    } finally {
      stop.end();
    }
  }

  private async serve(told: Told, payload: Payload, signal: AbortSignal): Promise<unknown> {
    const { app, people } = told.enforced;
    const { serveApp } = await import('../server/serve-app.js');
    const serving = await serveApp(app, this.config.version);
    try {
      const server = servingFacts(serving.url, people);
      if (this.jsonEnabled()) this.logJson({ ...payload, server });
      else tellServing(openPage(), server, inCheckout());
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      return PRINTED;
    } finally {
      await serving.close();
    }
  }
}

/** Whether `npm run demo` of a checkout tells it, where `vkit` is no command. */
function inCheckout(): boolean {
  return readEnvironment().npmScript === 'demo';
}
