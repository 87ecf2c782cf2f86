import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type {
  FieldSchema,
  TableReference,
  TableResource,
  WireRow,
} from '../../src/engines/bigquery/api.js';
import type { ConnectionTarget } from '../../src/engines/contract.js';

export const PROJECT = 'acme-prod';
export const DATASET = 'sales';
const POLL_MS_MAX = 10_000;
const BODY_BYTES_MAX = 4 * 1024 * 1024;

/** One call as it came over the wire. */
export interface Call {
  method: string;
  /** Below `/bigquery/v2/projects/<project>`. */
  path: string;
  project: string;
  query: Readonly<Record<string, string>>;
  headers: IncomingHttpHeaders;
  body: unknown;
}

export interface Answer {
  status?: number;
  body: unknown;
}

export interface QueryParameter {
  name: string;
  parameterType: { type: string };
  parameterValue: { value?: string };
}

/** What runs the queries of jobs; a throw is the job's failure. */
export interface QueryRunner {
  run(
    sql: string,
    parameters: readonly QueryParameter[],
    signal: AbortSignal,
  ): Promise<{ fields: readonly FieldSchema[]; rows: readonly WireRow[] }>;
}

export interface EmulatorOptions extends QueryRunner {
  /** Every table there is now, of the project. */
  tables: () => readonly TableResource[];
  /** Answers a call in the emulator's place. */
  before?: (call: Call) => Answer | 'silence' | undefined;
  /** A page never has more rows, whatever is asked for. */
  pageRowsMax?: number;
}

interface EmulatedJob {
  state: 'running' | 'done';
  result: Promise<{ fields: readonly FieldSchema[]; rows: readonly WireRow[] }>;
  cancel: AbortController;
}

/** An error as the API answers it. */
export function apiError(status: number, reason: string, message: string): Answer {
  return {
    status,
    body: { error: { code: status, message, errors: [{ reason, message, domain: 'global' }] } },
  };
}

/** A job's failure with the reason that BigQuery gives. */
export class JobFailure extends Error {
  constructor(
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}

/** BigQuery's REST API (v2), as far as vkit calls it, on a port of this machine. */
export async function withBigquery(
  options: EmulatorOptions,
  use: (emulated: { target: ConnectionTarget; calls: Call[] }) => Promise<void>,
): Promise<void> {
  const calls: Call[] = [];
  const jobs = new Map<string, EmulatedJob>();
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > BODY_BYTES_MAX) request.destroy();
    });
    request.on('end', async () => {
      const url = new URL(request.url ?? '/', 'http://127.0.0.1');
      const [, project = '', path = ''] =
        /^\/bigquery\/v2\/projects\/([^/]+)(\/.*)$/.exec(url.pathname) ?? [];
      const call: Call = {
        method: request.method ?? 'GET',
        project,
        path: decodeURIComponent(path),
        query: Object.fromEntries(url.searchParams),
        headers: request.headers,
        body: text === '' ? undefined : JSON.parse(text),
      };
      calls.push(call);
      const before = options.before?.(call);
      if (before === 'silence') return;
      const { status = 200, body } = before ?? (await answer(call, options, jobs));
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const api_endpoint = `http://127.0.0.1:${port}`;
  const config = { project: PROJECT, dataset: DATASET, api_endpoint };
  try {
    await use({ target: { id: 'warehouse', config, credentials: {} }, calls });
  } finally {
    for (const { cancel } of jobs.values()) cancel.abort();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function answer(
  call: Call,
  options: EmulatorOptions,
  jobs: Map<string, EmulatedJob>,
): Promise<Answer> {
  const route = `${call.method} ${call.path}`;
  const [, , first = '', , second = ''] = call.path.split('/');
  const references = options.tables().map(({ tableReference }) => tableReference);
  if (route === 'POST /jobs') return insertJob(call, options, jobs);
  if (/^POST \/jobs\/[^/]+\/cancel$/.test(route)) {
    jobs.get(first)?.cancel.abort();
    return { body: { job: { jobReference: { jobId: first } } } };
  }
  if (/^GET \/queries\/[^/]+$/.test(route)) return results(call, jobs.get(first), options);
  if (route === 'GET /datasets') {
    const names = [...new Set([DATASET, ...references.map(({ datasetId }) => datasetId)])];
    const datasets = names.map((datasetId) => ({ datasetReference: { datasetId } }));
    return page(call, 'datasets', datasets);
  }
  if (/^GET \/datasets\/[^/]+$/.test(route)) return { body: { location: 'EU' } };
  const inDataset = ({ projectId, datasetId }: TableReference) =>
    projectId === call.project && datasetId === first;
  if (/^GET \/datasets\/[^/]+\/tables$/.test(route)) {
    const tables = references.filter(inDataset).map((tableReference) => ({ tableReference }));
    return page(call, 'tables', tables);
  }
  if (/^GET \/datasets\/[^/]+\/tables\/[^/]+$/.test(route)) {
    const table = options
      .tables()
      .find(({ tableReference }) => inDataset(tableReference) && tableReference.tableId === second);
    return table ? { body: table } : apiError(404, 'notFound', `Not found: Table ${second}`);
  }
  return apiError(404, 'notFound', `The emulator has no ${route}.`);
}

/** Two entries a page, so that whoever reads one page alone is found out. */
function page(call: Call, name: string, entries: readonly unknown[]): Answer {
  const from = Number(call.query.pageToken ?? 0);
  const to = from + 2;
  const more = to < entries.length ? { nextPageToken: String(to) } : {};
  return { body: { [name]: entries.slice(from, to), ...more } };
}

interface JobBody {
  jobReference: { jobId: string; location?: string };
  configuration: { query: { query: string; queryParameters?: QueryParameter[] } };
}

function insertJob(call: Call, options: EmulatorOptions, jobs: Map<string, EmulatedJob>): Answer {
  const { jobReference, configuration } = call.body as JobBody;
  const { jobId } = jobReference;
  if (jobs.has(jobId)) return apiError(409, 'duplicate', `Already Exists: Job ${jobId}`);
  const cancel = new AbortController();
  const { query, queryParameters = [] } = configuration.query;
  const job: EmulatedJob = {
    state: 'running',
    cancel,
    result: options.run(query, queryParameters, cancel.signal).finally(() => {
      job.state = 'done';
    }),
  };
  job.result.catch(() => undefined);
  jobs.set(jobId, job);
  return { body: { jobReference, status: { state: 'RUNNING' } } };
}

async function results(
  call: Call,
  job: EmulatedJob | undefined,
  { pageRowsMax = Number.POSITIVE_INFINITY }: EmulatorOptions,
): Promise<Answer> {
  if (job === undefined) return apiError(404, 'notFound', 'Not found: Job');
  const waitMs = Math.min(Number(call.query.timeoutMs ?? POLL_MS_MAX), POLL_MS_MAX);
  const stopped = new Promise<'stopped'>((resolve) => {
    job.cancel.signal.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  let timer: NodeJS.Timeout | undefined;
  const waited = new Promise<'running'>((resolve) => {
    timer = setTimeout(() => resolve('running'), waitMs);
  });
  try {
    const done = await Promise.race([job.result, waited, stopped]);
    if (done === 'running') return { body: { jobComplete: false } };
    if (done === 'stopped') return apiError(400, 'stopped', 'Job execution was cancelled.');
    const from = Number(call.query.pageToken ?? 0);
    const rowsMax = Math.min(Number(call.query.maxResults ?? pageRowsMax), pageRowsMax);
    const to = from + rowsMax;
    const rows = done.rows.slice(from, to);
    return {
      body: {
        jobComplete: true,
        schema: { fields: done.fields },
        totalRows: String(done.rows.length),
        ...(rows.length > 0 ? { rows } : {}),
        ...(to < done.rows.length ? { pageToken: String(to) } : {}),
      },
    };
  } catch (error) {
    const reason = error instanceof JobFailure ? error.reason : 'invalidQuery';
    return apiError(400, reason, error instanceof Error ? error.message : String(error));
  } finally {
    clearTimeout(timer);
  }
}
