import { escapeTerminal } from '../util/escape.js';

/** Tells a waiting person what is going on; silent where nobody watches. */
export type Progress = {
  update(text: string): void;
  /** Removes the spinner; the command's own output says how it went. */
  stop(): void;
};

const SILENT: Progress = { update: () => undefined, stop: () => undefined };

/** Starts a spinner on stderr, if that is a terminal; otherwise nothing is printed. */
export async function startProgress(text: string, options: { json: boolean }): Promise<Progress> {
  const { isTTY, columns } = process.stderr;
  // A terminal without a width (in a container, under `script`) makes the spinner erase endless lines.
  if (!isTTY || !columns || options.json) return SILENT;
  const { default: ora } = await import('ora');
  const spinner = ora({ text: escapeTerminal(text), stream: process.stderr }).start();
  return {
    update: (next) => {
      spinner.text = escapeTerminal(next);
    },
    stop: () => {
      spinner.stop();
    },
  };
}
