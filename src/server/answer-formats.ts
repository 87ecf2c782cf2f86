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

/**
 * The format that an Accept header (RFC 9110, 12.5.1) weighs most, of two alike the first; JSON without a header. Throws
 * `validation` when none is known and acceptable.
 */
export function answerFormat(accept: string | undefined): AnswerFormat {
  if (accept === undefined || accept.trim() === '') return JSON_FORMAT;
  const ranges = accept.split(',').map(readRange);
  let best: { format: AnswerFormat; weight: number; at: number } | undefined;
  for (const [name, format] of Object.entries(FORMATS)) {
    const at = nearestRange(name, ranges);
    const weight = ranges[at]?.weight ?? 0;
    if (weight <= 0) continue;
    if (best === undefined || weight > best.weight || (weight === best.weight && at < best.at)) {
      best = { format, weight, at };
    }
  }
  if (best !== undefined) return best.format;
  throw new VkitError('validation', `Rows come as ${Object.keys(FORMATS).join(', ')}.`, {
    details: {
      problems: [{ pointer: '/headers/accept', code: 'accept', message: 'names no known format' }],
    },
  });
}

interface MediaRange {
  /** `text/csv`, a family of types or all of them, in lower case. */
  name: string;
  weight: number;
}

function readRange(text: string): MediaRange {
  const [name = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith('q='));
  const value = weight === undefined ? 1 : Number(weight.slice(2));
  // A weight that is none asks for nothing.
  return { name, weight: value >= 0 && value <= 1 ? value : 0 };
}

/** Where the range stands that says most about a type: its own name, else its family, else all. */
function nearestRange(name: string, ranges: readonly MediaRange[]): number {
  for (const wanted of [name, `${name.split('/')[0]}/*`, '*/*']) {
    const at = ranges.findIndex((range) => range.name === wanted);
    if (at >= 0) return at;
  }
  return -1;
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
