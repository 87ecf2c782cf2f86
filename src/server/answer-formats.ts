import { VkitError } from '../errors/index.js';
import type { FetchStream } from '../services/control/answer-stream.js';
import { escapeCsvCell } from '../util/escape.js';

interface AnswerFormat {
  name: 'json' | 'ndjson' | 'csv';
  contentType: string;
}

const FORMATS: Readonly<Record<string, AnswerFormat>> = {
  'application/json': { name: 'json', contentType: 'application/json; charset=utf-8' },
  'application/x-ndjson': { name: 'ndjson', contentType: 'application/x-ndjson; charset=utf-8' },
  'text/csv': { name: 'csv', contentType: 'text/csv; charset=utf-8' },
};

const JSON_FORMAT = { name: 'json', contentType: 'application/json; charset=utf-8' } as const;

/** The first format of an Accept header that is known; JSON without one. Throws `validation` when none is. */
export function answerFormat(accept: string | undefined): AnswerFormat {
  if (accept === undefined) return JSON_FORMAT;
  const names = accept.split(',').map((part) => (part.split(';')[0] ?? '').trim().toLowerCase());
  for (const name of names) {
    if (name === '*/*' || name === 'application/*') return JSON_FORMAT;
    const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
    if (format) return format;
  }
  throw new VkitError('validation', `Rows come as ${Object.keys(FORMATS).join(', ')}.`, {
    details: {
      problems: [{ pointer: '/headers/accept', code: 'accept', message: 'names no known format' }],
    },
  });
}

/**
 * The answer as pieces of text, a batch at a time: nothing is held but the batch. When a batch fails, the error goes up
 * and the connection is cut, so that no client takes a part for the whole.
 */
export async function* writeAnswer(
  format: AnswerFormat,
  stream: FetchStream,
  correlationId: string,
): AsyncGenerator<string, void, undefined> {
  if (format.name === 'csv') yield* writeCsv(stream);
  else if (format.name === 'ndjson') yield* writeNdjson(stream);
  else yield* writeJson(stream, correlationId);
}

async function* writeJson(stream: FetchStream, correlationId: string): AsyncGenerator<string> {
  const toObject = rowWriter(stream);
  let separator = '';
  yield '{"rows":[';
  for await (const rows of stream.batches) {
    yield separator + rows.map(toObject).join(',');
    separator = ',';
  }
  const { rowCount, truncated } = stream.outcome();
  const meta = {
    masked_fields: stream.maskedFields,
    row_count: rowCount,
    truncated,
    columns: stream.columns,
  };
  yield `],"meta":${JSON.stringify(meta)},"correlation_id":${JSON.stringify(correlationId)}}`;
}

async function* writeNdjson(stream: FetchStream): AsyncGenerator<string> {
  const toObject = rowWriter(stream);
  for await (const rows of stream.batches) yield `${rows.map(toObject).join('\n')}\n`;
}

async function* writeCsv(stream: FetchStream): AsyncGenerator<string> {
  yield `${stream.columns.map(({ name }) => escapeCsvCell(name)).join(',')}\r\n`;
  for await (const rows of stream.batches) {
    yield rows.map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
  }
}

function rowWriter({ columns }: FetchStream): (row: readonly string[]) => string {
  const keys = columns.map(
    ({ name }, index) => `${index === 0 ? '' : ','}${JSON.stringify(name)}:`,
  );
  return (row) => {
    // Concatenated in a loop: a stream of a million rows is made of nothing else.
    let text = '{';
    for (let index = 0; index < row.length; index += 1)
      text += keys[index] + (row[index] as string);
    return `${text}}`;
  };
}

/** A cell's JSON text as a CSV field: strings as they are, JSON columns as their text. */
function csvCell(cell: string): string {
  if (cell === 'null') return '';
  if (cell.startsWith('"')) return escapeCsvCell(JSON.parse(cell) as string);
  return cell.startsWith('{') || cell.startsWith('[') ? escapeCsvCell(cell) : cell;
}
