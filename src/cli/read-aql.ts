import { readFile, stat } from 'node:fs/promises';
import { VkitError } from '../errors/index.js';
import { readSecretFromStdin } from './prompt.js';

/** More than any query is, and what the server takes. */
const AQL_BYTES_MAX = 256 * 1024;

/** A query from a file or from stdin; `otherwise` is what a command also takes, for people. Its text is never repeated: it holds the values that are asked for. */
export async function readAql(file: string | undefined, otherwise?: string): Promise<unknown> {
  const fromStdin = file === undefined || file === '-';
  if (fromStdin && process.stdin.isTTY) {
    throw new VkitError('usage', '--aql is missing.', {
      hint: withOther(
        `Write the query as --aql '{"source_table": …}', name a file with --file, or pipe it in`,
        otherwise,
      ),
      details: { flag: '--aql' },
    });
  }
  const text = fromStdin ? await readStdin(otherwise) : await readQueryFile(file);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's message quotes the query.
    const place = fromStdin ? 'What stdin holds' : `The file ${file}`;
    throw new VkitError('invalid_aql', `${place} is not JSON.`, {
      hint: 'An AQL query is a JSON object with a source_table.',
    });
  }
}

async function readStdin(otherwise: string | undefined): Promise<string> {
  try {
    return await readSecretFromStdin();
  } catch (error) {
    if (!(error instanceof VkitError) || error.code !== 'usage') throw error;
    throw new VkitError('usage', '--aql is missing, and stdin is empty.', {
      hint: withOther(
        `Write the query as --aql '{"source_table": …}', or name a file with --file`,
        otherwise,
      ),
      details: { flag: '--aql' },
    });
  }
}

function withOther(hint: string, otherwise: string | undefined): string {
  return otherwise === undefined ? `${hint}.` : `${hint} — or ${otherwise}.`;
}

async function readQueryFile(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size <= AQL_BYTES_MAX) return await readFile(file, 'utf8');
  } catch (cause) {
    throw new VkitError('invalid_input', `The file ${file} cannot be read.`, { cause });
  }
  throw new VkitError('limit_exceeded', `The file ${file} is larger than ${AQL_BYTES_MAX} bytes.`);
}
