import { boolean, string } from '@oclif/core/flags';
import { BaseCommand, PRINTED } from '../cli/base-command.js';
import { connect, connectionFor } from '../cli/connect.js';
import { countFlag, serverFlags } from '../cli/flags.js';
import { handleInterrupt, interruptOnTerminate } from '../cli/interrupt.js';
import { VkitError } from '../errors/index.js';

export default class McpCommand extends BaseCommand {
  static override summary = 'Serve the datasets to AI agents over the Model Context Protocol.';
  static override description =
    `Speaks over stdin and stdout, as desktop clients start it, or over HTTP with --http. The tools are vaultkit_discover, \
vaultkit_query and vaultkit_check_approval; what they answer is what the token's identity may have. Over stdio the token is \
VKIT_TOKEN, VAULTKIT_TOKEN or the last login; over HTTP every client sends its own. VAULTKIT_BASE_URL and VAULTKIT_ORG are \
read too.`;
  static override examples = [
    'VKIT_TOKEN=… <%= config.bin %> mcp --endpoint http://localhost:3000',
    '<%= config.bin %> mcp --http --port 3100',
  ];
  static override flags = {
    ...serverFlags,
    http: boolean({ description: 'Speak over HTTP, at /mcp.' }),
    host: string({ description: 'Address to listen on (127.0.0.1); implies --http.' }),
    port: countFlag({
      description: 'Port to listen on (3100); 0 takes a free one; implies --http.',
      min: 0,
      max: 65_535,
    }),
    'allow-host': string({
      description: 'Another name under which clients call this server, behind a proxy.',
      helpValue: 'NAME',
      multiple: true,
    }),
    'allow-origin': string({
      description: 'Origin whose pages may call this server; none without it.',
      helpValue: 'ORIGIN',
      multiple: true,
    }),
    'max-rows': countFlag({
      description: 'Rows of one answer at most (200).',
      min: 1,
      max: 10_000,
    }),
    'max-bytes': countFlag({
      description: 'Bytes of the rows of one answer at most (49152).',
      min: 1_024,
      max: 16_777_216,
    }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(McpCommand);
    const { version } = this.config;
    const { serveHttp, serveStdio, ROW_LIMITS_DEFAULT } = await import('../mcp/index.js');
    const limits = {
      rowsMax: flags['max-rows'] ?? ROW_LIMITS_DEFAULT.rowsMax,
      bytesMax: flags['max-bytes'] ?? ROW_LIMITS_DEFAULT.bytesMax,
    };
    const common = { version, limits, now: Date.now };
    if (!flags.http && flags.port === undefined && flags.host === undefined) {
      if (flags['allow-host'] || flags['allow-origin']) {
        throw new VkitError('usage', '--allow-host and --allow-origin are for HTTP.', {
          hint: 'Add --http.',
        });
      }
      const { client } = await connect(flags, version, { isAgent: true });
      await serveStdio({ ...common, client }, (message) => this.complain(message));
      return PRINTED;
    }
    const connection = await connectionFor(flags, version);
    const served = await serveHttp({
      ...common,
      host: flags.host ?? '127.0.0.1',
      port: flags.port ?? 3_100,
      allowedHosts: flags['allow-host'] ?? [],
      allowedOrigins: flags['allow-origin'] ?? [],
      clientOf: connection.clientOf,
    });
    const facts = { status: 'listening', url: served.url, endpoint: connection.endpoint };
    process.stdout.write(
      this.jsonEnabled()
        ? `${JSON.stringify(facts)}\n`
        : `MCP at ${served.url} for ${connection.endpoint}\n`,
    );
    await new Promise<void>((resolve) => {
      handleInterrupt(resolve);
      interruptOnTerminate();
    });
    await served.close();
    return PRINTED;
  }

  /** For whoever reads the log of the client that started this process. */
  private complain(message: string): void {
    process.stderr.write(`${message}\n`);
  }
}
