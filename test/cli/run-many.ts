// Runs many command lines one after the other in this process, since starting one for each takes minutes. Reads them from
// stdin as JSON; after each it writes a line with the mark to both streams, on stdout with the exit code.
import { readFileSync, writeSync } from 'node:fs';
import type { CommandTable } from '../../src/cli/load-config.js';
import { main } from '../../src/cli/main.js';

const { mark, commandLines } = JSON.parse(readFileSync(0, 'utf8')) as {
  mark: string;
  commandLines: string[][];
};
const { COMMANDS } = (await import(new URL('../../dist/commands.js', import.meta.url).href)) as {
  COMMANDS: Record<string, Awaited<ReturnType<CommandTable[string]>>>;
};
const table: CommandTable = Object.fromEntries(
  Object.entries(COMMANDS).map(([id, command]) => [id, async () => command]),
);
for (const emitter of [process, process.stdout, process.stderr]) emitter.setMaxListeners(0);
for (const argv of commandLines) {
  process.exitCode = 0;
  await main(argv, table);
  // What was written to a pipe's stream may not have left it yet.
  for (const stream of [process.stdout, process.stderr])
    await new Promise<void>((resolve) => stream.write('', () => resolve()));
  writeSync(1, `\n${mark}${process.exitCode}\n`);
  writeSync(2, `\n${mark}\n`);
}
process.exit(0);
