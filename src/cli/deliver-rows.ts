import { extname } from 'node:path';
import type { VkitClient } from '../client/vkit-client.js';
import type { FetchAnswer } from '../client/wire.js';
import { VkitError } from '../errors/index.js';
import { refuseOutput } from '../services/output-file.js';
import { escapeTerminalLines } from '../util/escape.js';
import { indentJson } from '../util/indent-json.js';
import { renderTable } from './table.js';
import { type Pieces, pipeToStdout, writeOutput } from './write-output.js';

export const ROW_FORMATS = ['json', 'ndjson', 'csv', 'table'] as const;
export type RowFormat = (typeof ROW_FORMATS)[number];

export interface DeliverOptions {
  /** Absent: by the name of the output file, a table on a terminal, JSON otherwise. */
  format?: RowFormat | undefined;
  output?: string | undefined;
  json: boolean;
  /** What the one document of `--json` says beside the answer. */
  about?: object;
  /** Says something to people, on stderr. */
  note: (text: string) => void;
}

/** Where rows were put. */
export interface Delivered {
  grant_ref: string;
  grant_id: string;
  output: string;
  format: RowFormat;
  bytes: number;
}

/**
 * Fetches a grant's rows and brings them to stdout or into a file, which is written whole or not at all. Returns what is
 * left to print under `--json`, and null where stdout has everything already. A stream that breaks off is an error.
 */
export async function deliverRows(
  client: VkitClient,
  ref: string,
  options: DeliverOptions,
): Promise<Delivered | null> {
  const { output, json } = options;
  const format = options.format ?? defaultFormat(options);
  if (json && output === undefined && format !== 'json') {
    throw new VkitError('usage', `--json prints one JSON document, not ${format}.`, {
      hint: `Leave out one of the two, or name a file for the rows: --output FILE`,
    });
  }
  if (output !== undefined) {
    // Before the server is asked: rows that go nowhere would be on record as read.
    await refuseOutput({ path: output, flag: '--output' });
    return toFile(client, ref, { ...options, format, output });
  }
  if (format === 'ndjson' || format === 'csv') {
    await pipeToStdout(shown(await client.streamGrant(ref, ACCEPT[format])));
    return null;
  }
  const { value: answer, text } = await client.fetchGrantText(ref);
  if (format === 'table') {
    process.stdout.write(`${tableOf(answer)}\n`);
    noteAbout(answer, options.note);
  } else await pipeToStdout(shown([documentOf(text, options.about)]));
  return null;
}

const ACCEPT = { ndjson: 'application/x-ndjson', csv: 'text/csv' } as const;

const FORMAT_OF_EXTENSION: Readonly<Record<string, RowFormat>> = {
  '.csv': 'csv',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
};

function defaultFormat({ output, json }: DeliverOptions): RowFormat {
  if (output !== undefined) return FORMAT_OF_EXTENSION[extname(output).toLowerCase()] ?? 'json';
  return !json && process.stdout.isTTY ? 'table' : 'json';
}

async function toFile(
  client: VkitClient,
  ref: string,
  { format, output, note }: DeliverOptions & { format: RowFormat; output: string },
): Promise<Delivered> {
  let content: string | Pieces;
  if (format === 'ndjson' || format === 'csv')
    content = await client.streamGrant(ref, ACCEPT[format]);
  else {
    const { value: answer, text } = await client.fetchGrantText(ref);
    content = format === 'json' ? documentOf(text) : `${tableOf(answer)}\n`;
    noteAbout(answer, note);
  }
  const bytes = await writeOutput(output, content);
  note(`Wrote ${bytes} bytes of ${format} to ${output}.`);
  return { grant_ref: ref, grant_id: ref, output, format, bytes };
}

/** The answer as the server wrote it, with what else is to be said before it. */
function documentOf(text: string, about: object = {}): string {
  const members = Object.keys(about).length === 0 ? '' : `${JSON.stringify(about).slice(1, -1)},`;
  return `${indentJson(`{${members}${text.trimStart().slice(1)}`)}\n`;
}

function tableOf({ rows, meta }: FetchAnswer): string {
  const columns = meta.columns.map(({ name, masked, type }) => ({
    heading: escapeTerminalLines(masked === undefined ? name : `${name} (${masked})`),
    value: (row: Readonly<Record<string, unknown>>) => cellText(row[name]),
    align: /int|num|dec|float|double|real/i.test(type) ? ('right' as const) : ('left' as const),
  }));
  return renderTable(rows, columns);
}

function cellText(value: unknown): string | number | boolean | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  return JSON.stringify(value);
}

function noteAbout({ meta }: FetchAnswer, note: (text: string) => void): void {
  const count = `${meta.row_count} ${meta.row_count === 1 ? 'row' : 'rows'}`;
  const masked = meta.masked_fields.length > 0 ? `, masked: ${meta.masked_fields.join(', ')}` : '';
  note(`${count}${masked}.`);
  if (meta.truncated) note('There are more rows than an answer holds: these are not all of them.');
}

/** On a terminal, text whose control codes are shown and not obeyed; elsewhere the bytes as they came. */
async function* shown(pieces: Pieces | Iterable<string>): Pieces {
  if (!process.stdout.isTTY) {
    yield* pieces;
    return;
  }
  const decoder = new TextDecoder();
  // A line that ends in \r\n is a line, not a control code; a \r at the end of a piece waits for what follows.
  let held = '';
  for await (const piece of pieces) {
    const text =
      held + (typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true }));
    held = text.endsWith('\r') ? '\r' : '';
    yield escapeTerminalLines(text.slice(0, text.length - held.length).replaceAll('\r\n', '\n'));
  }
  yield escapeTerminalLines(held + decoder.decode());
}
