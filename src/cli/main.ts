import { Help } from '@oclif/core/help';
import { VkitError } from '../errors/index.js';
import { installClosedPipes } from './closed-pipes.js';
import { installInterrupt } from './interrupt.js';
import { type CommandTable, loadConfig } from './load-config.js';
import { wantsJson } from './output-mode.js';
import { reportError } from './report-error.js';
import { type Resolved, resolveCommand } from './resolve-command.js';

type Config = Awaited<ReturnType<typeof loadConfig>>;

/**
 * The command line: finds the command, loads it and runs it. Every failure ends here as one report
 * with its exit code; nothing is thrown out of it.
 */
export async function main(argv: readonly string[], table: CommandTable): Promise<void> {
  // The arguments, a password among them, would stand in every process listing.
  process.title = 'vkit';
  const json = wantsJson(argv);
  installInterrupt({ json });
  installClosedPipes();
  process.on('uncaughtException', (error) => {
    reportError(error, { json });
    process.exit();
  });
  try {
    await dispatch(argv, await loadConfig(table), json);
  } catch (error) {
    reportError(error, { json });
  }
}

async function dispatch(argv: readonly string[], config: Config, json: boolean): Promise<void> {
  if (argv[0] === '--version' || argv[0] === '-v' || argv[0] === 'version') {
    process.stdout.write(`${json ? JSON.stringify(versionOf(config)) : config.userAgent}\n`);
    return;
  }
  const words = argv[0] === 'help' ? [...argv.slice(1), '--help'] : leadingJsonLast(argv);
  const ids = config.commands.map((command) => command.id);
  const rest = words.filter((word) => !isHelp(word));
  if (argv.length === 0 || (asksForHelp(words) && !rest.some((word) => !word.startsWith('-')))) {
    return new Help(config).showHelp([]);
  }
  const resolved = resolveCommand(words, ids);
  if (resolved.kind === 'unknown') throw resolved.error;
  if (asksForHelp(resolved.argv)) return new Help(config).showHelp([resolved.id]);
  if (resolved.kind === 'topic') return incompleteCommand(resolved, config, ids, json);
  const command = await config.findCommand(resolved.id, { must: true }).load();
  await command.run(resolved.argv, config);
}

function versionOf(config: Config): object {
  return { version: config.version, node: process.version, platform: config.platform };
}

/** `vkit --json whoami` is understood as `vkit whoami --json`. */
function leadingJsonLast(argv: readonly string[]): readonly string[] {
  return argv[0] === '--json' ? [...argv.slice(1), '--json'] : argv;
}

function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).some(isHelp);
}

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h';
}

/** A topic alone: its commands for people, an error for programs, which wanted an answer. */
async function incompleteCommand(
  resolved: Extract<Resolved, { kind: 'topic' }>,
  config: Config,
  ids: readonly string[],
  json: boolean,
): Promise<void> {
  const topic = resolved.id.replaceAll(':', ' ');
  if (!json && resolved.argv.length === 0) return new Help(config).showHelp([resolved.id]);
  const commands = ids.filter((id) => id.startsWith(`${resolved.id}:`));
  throw new VkitError('usage', `vkit ${topic} needs one of its commands.`, {
    hint: `Run: vkit ${topic} --help`,
    details: { commands: commands.map((id) => id.replaceAll(':', ' ')) },
  });
}
