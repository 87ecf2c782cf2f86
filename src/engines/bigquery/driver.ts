import { randomUUID } from 'node:crypto';
import { BigQuery, type Job } from '@google-cloud/bigquery';
import { PassThroughClient } from 'google-auth-library';
import type { BoundValue } from '../../aql/expression.js';
import type { ConnectionOptions, ConnectionTarget, Connector } from '../contract.js';
import { driverErrors } from '../driver-error.js';
import type { ConnectionPool } from '../lease-pool.js';
import { createServerConnector, poolOptions } from '../server-connector.js';
import type { FieldSchema, QueryResults, TableReference, TableResource } from './api.js';
import { schemaOf } from './catalog.js';
import type { BigqueryCell } from './cell.js';
import { isNotFound, isStartedTwice } from './error.js';
import { bigqueryProtocol } from './protocol.js';
import type { BigquerySession } from './session.js';
import { type BigquerySettings, readBigquerySettings } from './settings.js';

const ENDPOINT = 'https://bigquery.googleapis.com';
/** After an answer that says to try again, or none. */
const RETRY = { autoRetry: true, maxRetries: 2, maxRetryDelay: 1 };
/** How long BigQuery keeps a call open while a job runs. */
const POLL_MS = 10_000;
const CANCEL_TIMEOUT_MS = 2_000;
/** Entries of a list; the pages of a list have at most this many. */
const LIST_PAGE = 1_000;
const LIST_PAGES_MAX = 1_000;
/** On every job, so that the project's owner sees whose it is. */
const LABELS = { vkit: 'query' };

/** Opens no connection: BigQuery is asked by single calls over HTTPS. */
export async function connectBigquery(
  target: ConnectionTarget,
  options: ConnectionOptions = {},
): Promise<Connector> {
  const settings = await readBigquerySettings(target);
  const { credentials, project, dataset } = settings;
  const secret = typeof credentials === 'object' ? credentials.private_key : undefined;
  const errors = driverErrors(target.id, [secret]);
  const pool = openPool(createClient(settings), settings);
  return createServerConnector(pool, bigqueryProtocol(target.id, errors), errors, {
    ...poolOptions(options, undefined),
    defaultSchema: schemaOf({ projectId: project, datasetId: dataset }),
  });
}

function createClient({ credentials, endpoint = ENDPOINT, project }: BigquerySettings): BigQuery {
  const client = new BigQuery({
    projectId: project,
    apiEndpoint: endpoint,
    retryOptions: RETRY,
    ...(credentials === 'emulator' ? { authClient: new PassThroughClient() } : {}),
    ...(typeof credentials === 'object' ? { credentials } : {}),
  });
  // BIGQUERY_EMULATOR_HOST would come before the reviewed configuration.
  client.baseUrl = `${endpoint}/bigquery/v2`;
  return client;
}

function openPool(client: BigQuery, settings: BigquerySettings): ConnectionPool<BigquerySession> {
  const cancels = new Map<string, () => Promise<void>>();
  let location: Promise<string> | undefined;
  const locate = () => {
    location ??= readLocation(client, settings);
    // What failed is tried again by the next who asks.
    location.catch(() => {
      location = undefined;
    });
    return location;
  };
  return {
    async connect() {
      const key = randomUUID();
      const { session, cancel, abandon } = createSession(client, settings, locate);
      cancels.set(key, cancel);
      return {
        session,
        id: key,
        destroy: abandon,
        giveBack() {
          cancels.delete(key);
        },
      };
    },
    cancel: async (id) => cancels.get(id)?.(),
    end: async () => undefined,
  };
}

async function readLocation(client: BigQuery, settings: BigquerySettings): Promise<string> {
  if (settings.location !== undefined) return settings.location;
  const { location } = await ask<{ location?: string }>(client, datasetPath(settings.dataset));
  return location ?? 'US';
}

interface OpenSession {
  session: BigquerySession;
  /** Ends the job, and whatever waits for an answer; never fails. */
  cancel(): Promise<void>;
  /** Whatever waits for an answer fails. */
  abandon(): void;
}

function createSession(
  client: BigQuery,
  settings: BigquerySettings,
  location: () => Promise<string>,
): OpenSession {
  const waiting = new AbortController();
  let job: Job | undefined;
  let isRunning = false;
  let fields: readonly FieldSchema[] = [];
  /** Absent before the first page, `null` after the last. */
  let pageToken: string | null | undefined = null;

  /** The client has no way to give a call up: its answer is not waited for, and dropped when it comes. */
  const call = <T>(answer: Promise<T>): Promise<T> => orAborted(answer, waiting.signal);
  const get = <T>(path: string, parameters?: Readonly<Record<string, string | number>>) =>
    call(ask<T>(client, path, parameters));

  const results = (parameters: Readonly<Record<string, string | number>>) =>
    get<QueryResults>(`/queries/${encodeURIComponent(job?.id ?? '')}`, {
      location: job?.location ?? '',
      'formatOptions.useInt64Timestamp': 'true',
      ...parameters,
    });

  const session: BigquerySession = {
    project: settings.project,
    location: () => call(location()),
    async ping() {
      await get(datasetPath(settings.dataset));
    },
    listDatasets: () =>
      list<{ datasets?: { datasetReference: { datasetId: string } }[] }>(
        get,
        '/datasets',
        ({ datasets = [] }) => datasets.map(({ datasetReference }) => datasetReference.datasetId),
      ),
    listTables: (dataset) =>
      list<{ tables?: { tableReference: TableReference }[] }>(
        get,
        `${datasetPath(dataset)}/tables`,
        ({ tables = [] }) => tables.map(({ tableReference }) => tableReference.tableId),
      ),
    async getTable({ projectId, datasetId, tableId }) {
      const path = `${datasetPath(datasetId)}/tables/${encodeURIComponent(tableId)}`;
      const answer = call(ask<TableResource>(client, path, { view: 'BASIC' }, projectId));
      return answer.catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
    },
    async open(sql, values, timeoutMs) {
      const jobId = `vkit_${randomUUID()}`;
      job = client.job(jobId, { location: await call(location()) });
      isRunning = true;
      pageToken = undefined;
      await call(start(client, job, settings, sql, values, timeoutMs));
      for (let answer: QueryResults | undefined; answer?.jobComplete !== true; ) {
        answer = await results({ maxResults: 0, timeoutMs: POLL_MS }).catch((error: unknown) => {
          // Its failure is an answer: the job is not running any more.
          if (!waiting.signal.aborted) isRunning = false;
          throw error;
        });
        fields = answer.schema?.fields ?? [];
      }
      isRunning = false;
    },
    async fetch(rowsMax) {
      const rows: BigqueryCell[][] = [];
      // A page may have fewer rows than were asked for.
      while (rows.length < rowsMax && pageToken !== null) {
        const answer = await results({
          maxResults: rowsMax - rows.length,
          ...(pageToken === undefined ? {} : { pageToken }),
        });
        for (const { f } of answer.rows ?? []) {
          rows.push(fields.map((field, at) => ({ field, value: f[at]?.v ?? null })));
        }
        pageToken = answer.pageToken || null;
      }
      return rows;
    },
    isRunning: () => isRunning,
  };

  const abandon = () => waiting.abort(new Error('The call was given up.'));
  return {
    session,
    async cancel() {
      if (job !== undefined && isRunning) {
        const timeout = AbortSignal.timeout(CANCEL_TIMEOUT_MS);
        // The job's own timeout ends it where this does not.
        await orAborted(job.cancel(), timeout).catch(() => undefined);
        isRunning = false;
      }
      abandon();
    },
    abandon,
  };
}

async function start(
  client: BigQuery,
  { id, location }: Job,
  settings: BigquerySettings,
  sql: string,
  values: readonly BoundValue[],
  timeoutMs: number,
): Promise<void> {
  const { maximumBytesBilled } = settings;
  const names = values.map((_, index) => `p${index + 1}`);
  try {
    await client.createQueryJob({
      query: sql,
      jobId: id ?? '',
      location: location ?? '',
      jobTimeoutMs: Math.ceil(timeoutMs),
      labels: LABELS,
      ...(maximumBytesBilled === undefined ? {} : { maximumBytesBilled }),
      params: Object.fromEntries(values.map((value, at) => [names[at], parameter(value)])),
      types: Object.fromEntries(values.map((value, at) => [names[at], typeOf(value)])),
    });
  } catch (error) {
    if (!isStartedTwice(error)) throw error;
  }
}

/** What a value is sent as; the statement casts it to what it is compared with. */
function typeOf(value: BoundValue): string {
  if (typeof value === 'string') return 'STRING';
  if (typeof value === 'number') return 'FLOAT64';
  return typeof value === 'boolean' ? 'BOOL' : 'BYTES';
}

/** The client would send a Buffer as the JSON of its parts. */
function parameter(value: BoundValue): string | number | boolean {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}

function datasetPath(dataset: string): string {
  return `/datasets/${encodeURIComponent(dataset)}`;
}

type Get = <T>(path: string, parameters?: Readonly<Record<string, string | number>>) => Promise<T>;

async function list<Page extends object>(
  get: Get,
  path: string,
  read: (page: Page) => string[],
): Promise<string[]> {
  const found: string[] = [];
  let pageToken: string | undefined;
  for (let page = 0; page < LIST_PAGES_MAX; page += 1) {
    const parameters = { maxResults: LIST_PAGE, ...(pageToken ? { pageToken } : {}) };
    const answer: Page & { nextPageToken?: string } = await get(path, parameters);
    found.push(...read(answer));
    pageToken = answer.nextPageToken;
    if (!pageToken) return found;
  }
  throw new Error(`A list has more than ${LIST_PAGES_MAX} pages.`);
}

function ask<T>(
  client: BigQuery,
  uri: string,
  qs: Readonly<Record<string, string | number>> = {},
  projectId?: string,
): Promise<T> {
  return new Promise((resolve, reject) => {
    client.request({ uri, qs, ...(projectId ? { projectId } : {}) }, (error, body) =>
      error ? reject(error) : resolve(body as T),
    );
  });
}

function orAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
