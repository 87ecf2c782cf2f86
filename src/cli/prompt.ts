import { readEnvironment } from '../config/env.js';
import { VkitError } from '../errors/index.js';
import { decodeUtf8, isCleanText } from '../util/utf8.js';

/** More than any password or key file has, less than what would hurt. */
const SECRET_BYTES_MAX = 64 * 1024;

/** Tells whether somebody can answer a question: a terminal on both sides, and no build server. */
export function canPrompt(): boolean {
  return Boolean(process.stdin.isTTY && process.stderr.isTTY) && !readEnvironment().ci;
}

/** Asks yes or no. Without a terminal it is a usage error that names the flag to give instead. */
export async function confirm(question: string, flag: string): Promise<boolean> {
  requireTerminal(flag);
  const prompts = await import('@inquirer/prompts');
  return prompts.confirm({ message: question, default: false }, { output: process.stderr });
}

/** Asks for a secret, which is not shown. `flag` as for `confirm`. */
export async function promptPassword(question: string, flag: string): Promise<string> {
  requireTerminal(flag);
  const prompts = await import('@inquirer/prompts');
  return prompts.password({ message: question, mask: true }, { output: process.stderr });
}

/** Asks for a line of text. `flag` as for `confirm`. */
export async function promptText(question: string, flag: string): Promise<string> {
  requireTerminal(flag);
  const prompts = await import('@inquirer/prompts');
  return prompts.input({ message: question, required: true }, { output: process.stderr });
}

/**
 * A password from `passwordFlags`: stdin, the flag, or a prompt. The flag is accepted with a warning
 * on a terminal, where the shell has written it to its history.
 */
export async function readPassword(
  flags: { password?: string | undefined; 'password-stdin'?: boolean },
  options: { question: string; warn: (message: string) => unknown },
): Promise<string> {
  if (flags['password-stdin']) {
    if (flags.password === undefined) return readSecretFromStdin();
    throw new VkitError('usage', 'Give --password or --password-stdin, not both.');
  }
  if (flags.password === undefined) return promptPassword(options.question, '--password-stdin');
  if (canPrompt()) options.warn('A password on the command line stays in the shell history.');
  return flags.password;
}

/** Everything on stdin as one secret, without the newline that `echo` puts at its end. */
export async function readSecretFromStdin(
  stdin: NodeJS.ReadStream | AsyncIterable<Buffer | string> = process.stdin,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > SECRET_BYTES_MAX) {
      throw new VkitError('invalid_input', `Stdin holds more than ${SECRET_BYTES_MAX} bytes.`);
    }
    chunks.push(bytes);
  }
  const text = decodeUtf8(Buffer.concat(chunks))?.replace(/\r?\n$/, '');
  if (text === undefined || !isCleanText(text)) {
    throw new VkitError('invalid_input', 'Stdin is not UTF-8 text.');
  }
  if (text === '') throw new VkitError('usage', 'A secret was expected on stdin, which is empty.');
  return text;
}

function requireTerminal(flag: string): void {
  if (canPrompt()) return;
  throw new VkitError('usage', `${flag} is missing, and there is no terminal to ask on.`, {
    details: { flag },
  });
}
