import { randomUUID } from 'node:crypto';
import { VkitError } from '../errors/index.js';
import { checkScannedSchema } from '../schema/scanned-schema.js';
import { brokenOff, call, callJson, callJsonText, type HttpOptions } from './http.js';
import { type RowStream, rowStreamOf } from './row-stream.js';
import { type WaitOptions, waitForDecision } from './wait-for-decision.js';
import type {
  AgentTokenBody,
  ApprovalItem,
  AuditPage,
  AuthDiscovery,
  BundleBody,
  CheckpointPage,
  DatasetSchemaAnswer,
  DatasetsAnswer,
  DatasourceAnswer,
  DatasourceBody,
  DatasourceChange,
  DeployAnswer,
  ExplainAnswer,
  ExplainBody,
  Explanation,
  FetchAnswer,
  GrantBody,
  IntentBody,
  LoginAnswer,
  NewDatasource,
  ReplayAnswer,
  ReplayBody,
  RequestAnswer,
  RotatedVaultBody,
  ScannedDatasourceBody,
  SessionBody,
  ShownBundle,
  SubmitBody,
  TestedDatasourceBody,
  UserBody,
  WhoAmI,
} from './wire.js';

export interface VkitClientOptions extends HttpOptions {
  /** The organisation; absent: the one the token belongs to, asked once. */
  org?: string;
}

export interface ListOptions {
  state?: string;
  limit?: number;
}

export interface SubmitOptions {
  /** Under one key the same request is made once, however often it is sent; absent: a random one. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

/** Which datasets: of an environment, or of a region. A region of the requester's can only be their own. */
export interface DiscoverOptions {
  environment?: string;
  dataset_region?: string;
  requester_region?: string;
}

export interface AuditOptions {
  user?: string;
  action?: string;
  dataset?: string;
  request?: string;
  since?: string;
  until?: string;
  order?: 'asc' | 'desc';
  limit?: number;
  cursor?: string;
}

export interface NewUser {
  email: string;
  /** Absent: the account logs in through the identity provider. */
  password?: string;
  roles?: readonly string[];
  clearance?: string | null;
  region?: string | null;
  purposes?: readonly string[];
}

export interface NewAgentToken {
  name: string;
  roles?: readonly string[];
  clearance?: string | null;
  region?: string | null;
  purposes?: readonly string[];
  /** The only datasources there are for it; absent: all. */
  datasources?: readonly string[] | null;
  on_behalf_of?: string | null;
  expires_in_seconds?: number | null;
}

/**
 * A typed client of `/api/v1`. Every method throws VkitError with the server's code, or `server_unreachable`. A call that
 * failed in passing is sent again where that is safe: after 429, and, where it only reads or has an idempotency key, after a
 * broken connection and 5xx.
 */
export class VkitClient {
  #org: string | undefined;

  constructor(private readonly options: VkitClientOptions) {
    this.#org = options.org;
  }

  /** The same client, each call of which ends when the signal is aborted, and throws its reason. */
  withSignal(signal: AbortSignal): VkitClient {
    const signals = this.options.signal ? [this.options.signal, signal] : [signal];
    const org = this.#org === undefined ? {} : { org: this.#org };
    return new VkitClient({ ...this.options, ...org, signal: AbortSignal.any(signals) });
  }

  /** A session token for a password; the client itself keeps the token it was made with. */
  logIn(email: string, password: string): Promise<LoginAnswer> {
    return this.#post('/api/v1/auth/login', { email, password });
  }

  /** Which logins there are. */
  authDiscovery(): Promise<AuthDiscovery> {
    return callJson(this.options, { method: 'GET', path: '/api/v1/auth/discovery' });
  }

  /** A session token for a login that was done in a browser, once. */
  exchangeLogin(code: string, verifier: string): Promise<LoginAnswer> {
    return this.#post('/api/v1/auth/cli/token', { code, verifier });
  }

  logOut(): Promise<{ status: string }> {
    return this.#post('/api/v1/auth/logout', {});
  }

  whoAmI(): Promise<WhoAmI> {
    return callJson(this.options, { method: 'GET', path: '/api/v1/whoami' });
  }

  async createUser(user: NewUser): Promise<UserBody> {
    return this.#post(await this.#path('users'), user);
  }

  async listUsers(): Promise<readonly UserBody[]> {
    return (await this.#get<{ users: UserBody[] }>(await this.#path('users'))).users;
  }

  async updateUser(
    id: string,
    change: Partial<Omit<NewUser, 'email' | 'password'>> & { login?: 'oidc' },
  ): Promise<UserBody> {
    return callJson(this.options, {
      method: 'PATCH',
      path: await this.#path('users', id),
      body: change,
    });
  }

  async disableUser(id: string): Promise<UserBody> {
    return this.#post(await this.#path('users', id, 'disable'), {});
  }

  async enableUser(id: string): Promise<UserBody> {
    return this.#post(await this.#path('users', id, 'enable'), {});
  }

  async listSessions(
    filter: { mine?: boolean; user?: string; state?: 'active' | 'all' } = {},
  ): Promise<readonly SessionBody[]> {
    const { mine, ...rest } = filter;
    const query = { ...rest, ...(mine ? { mine: 'true' } : {}) };
    return (await this.#get<{ sessions: SessionBody[] }>(await this.#path('sessions'), query))
      .sessions;
  }

  async revokeSession(id: string): Promise<SessionBody> {
    return this.#post(await this.#path('sessions', id, 'revoke'), {});
  }

  async resetPassword(id: string, password: string): Promise<UserBody> {
    return this.#post(await this.#path('users', id, 'password'), { password });
  }

  async createAgentToken(token: NewAgentToken): Promise<AgentTokenBody> {
    return this.#post(await this.#path('agent_tokens'), token);
  }

  async listAgentTokens(): Promise<readonly AgentTokenBody[]> {
    return (await this.#get<{ agent_tokens: AgentTokenBody[] }>(await this.#path('agent_tokens')))
      .agent_tokens;
  }

  async revokeAgentToken(id: string): Promise<AgentTokenBody> {
    return this.#post(await this.#path('agent_tokens', id, 'revoke'), {});
  }

  async createDatasource(datasource: NewDatasource): Promise<DatasourceAnswer> {
    return this.#post(await this.#path('datasources'), datasource);
  }

  async listDatasources(signal?: AbortSignal): Promise<readonly DatasourceBody[]> {
    const path = await this.#path('datasources');
    const answer = await callJson<{ datasources: DatasourceBody[] }>(this.options, {
      method: 'GET',
      path,
      ...(signal ? { signal } : {}),
    });
    return answer.datasources;
  }

  async showDatasource(id: string): Promise<DatasourceBody & { correlation_id: string }> {
    return this.#get(await this.#path('datasources', id));
  }

  /** Another engine, address, user, TLS or option discards the password, unless one comes with it. */
  async updateDatasource(id: string, change: DatasourceChange): Promise<DatasourceAnswer> {
    const path = await this.#path('datasources', id);
    return callJson(this.options, { method: 'PATCH', path, body: change });
  }

  async removeDatasource(id: string): Promise<{ id: string; state: string }> {
    const path = await this.#path('datasources', id);
    return callJson(this.options, { method: 'DELETE', path });
  }

  /** Seals a batch of secrets anew; `next` of the answer is where the next batch begins. */
  async rotateVault(after?: { kind: string; id: string }): Promise<RotatedVaultBody> {
    const path = await this.#path('vault', 'rotate');
    return callJson(
      { ...this.options, timeoutMs: SCAN_TIMEOUT_MS },
      { method: 'POST', path, body: after === undefined ? {} : { after } },
    );
  }

  async testDatasource(id: string): Promise<TestedDatasourceBody> {
    return this.#post(await this.#path('datasources', id, 'test'), {});
  }

  /** What the server reads of a catalog; throws `unavailable` where the answer is not of its form. */
  async scanDatasource(
    id: string,
    scope: { include?: readonly string[]; exclude?: readonly string[] },
  ): Promise<ScannedDatasourceBody> {
    const path = await this.#path('datasources', id, 'scan');
    const answer = await callJson<ScannedDatasourceBody>(
      { ...this.options, timeoutMs: SCAN_TIMEOUT_MS },
      { method: 'POST', path, body: scope },
    );
    checkScannedSchema(answer.scanned);
    return answer;
  }

  async deployBundle(bundle: unknown, activate: boolean): Promise<DeployAnswer> {
    return this.#post(await this.#path('policy_bundles'), { bundle, activate });
  }

  async listBundles(): Promise<readonly BundleBody[]> {
    return (await this.#get<{ policy_bundles: BundleBody[] }>(await this.#path('policy_bundles')))
      .policy_bundles;
  }

  /** One version (`v3`, `3` or `active`) with its document as it was uploaded. */
  async showBundle(version: string): Promise<ShownBundle> {
    return this.#get(await this.#path('policy_bundles', version));
  }

  /** What the active bundle decides, and why. Throws `no_active_bundle` where there is none that is served. */
  async explainDecision(body: ExplainBody): Promise<Explanation & { correlation_id: string }> {
    const answer: ExplainAnswer = await this.#post(
      await this.#path('policy_bundles', 'explain'),
      body,
    );
    if (!('status' in answer)) return answer;
    throw new VkitError(answer.type, answer.reason, {
      hint: 'See the versions: vkit policy list',
      correlationId: answer.correlation_id,
    });
  }

  /** How past requests would be decided by two bundles. */
  async replayRequests(body: ReplayBody): Promise<ReplayAnswer> {
    return callJson(
      { ...this.options, timeoutMs: REPLAY_TIMEOUT_MS },
      { method: 'POST', path: await this.#path('policy_bundles', 'replay'), body },
    );
  }

  async activateBundle(version: string): Promise<DeployAnswer> {
    return this.#post(await this.#path('policy_bundles', version, 'activate'), {});
  }

  async rollbackBundle(version: string, reason: string): Promise<DeployAnswer> {
    return this.#post(await this.#path('policy_bundles', version, 'rollback'), { reason });
  }

  async revokeBundle(version: string, reason: string): Promise<DeployAnswer> {
    return this.#post(await this.#path('policy_bundles', version, 'revoke'), { reason });
  }

  /** Asks for data. A denial is an answer too. */
  async submitRequest(body: SubmitBody, options: SubmitOptions = {}): Promise<RequestAnswer> {
    return this.#submit(await this.#path('requests'), body, options);
  }

  /** The same in the agents' form: fields of one dataset. */
  async submitIntent(body: IntentBody, options: SubmitOptions = {}): Promise<RequestAnswer> {
    return this.#submit(await this.#path('intent', 'requests'), body, options);
  }

  #submit(path: string, body: unknown, options: SubmitOptions): Promise<RequestAnswer> {
    return callJson(this.options, {
      method: 'POST',
      path,
      body,
      headers: { 'idempotency-key': options.idempotencyKey ?? randomUUID() },
      ...(options.signal ? { signal: options.signal } : {}),
    });
  }

  async listRequests(options: ListOptions = {}): Promise<readonly RequestAnswer[]> {
    return (
      await this.#get<{ requests: RequestAnswer[] }>(await this.#path('requests'), { ...options })
    ).requests;
  }

  async showRequest(
    id: string,
    signal?: AbortSignal,
  ): Promise<RequestAnswer & Partial<ApprovalItem>> {
    return callJson(this.options, {
      method: 'GET',
      path: await this.#path('requests', id),
      ...(signal ? { signal } : {}),
    });
  }

  /**
   * Waits until a request is no longer pending, asking less and less often, and returns the last answer: still pending only
   * where the time given is over.
   */
  waitForDecision(answer: RequestAnswer, options: WaitOptions = {}): Promise<RequestAnswer> {
    const signal = options.signal ?? this.options.signal;
    const all = { ...options, ...(signal ? { signal } : {}) };
    return waitForDecision((id) => this.showRequest(id, signal), answer, all);
  }

  async cancelRequest(id: string): Promise<RequestAnswer> {
    return this.#post(await this.#path('requests', id, 'cancel'), {});
  }

  async listApprovals(options: ListOptions = {}): Promise<readonly ApprovalItem[]> {
    return (
      await this.#get<{ approvals: ApprovalItem[] }>(await this.#path('approvals'), { ...options })
    ).approvals;
  }

  async approve(
    id: string,
    options: { ttl_seconds?: number; notes?: string } = {},
  ): Promise<RequestAnswer> {
    return this.#post(await this.#path('approvals', id, 'approve'), options);
  }

  async deny(id: string, reason: string): Promise<RequestAnswer> {
    return this.#post(await this.#path('approvals', id, 'deny'), { reason });
  }

  async fetchGrant(ref: string): Promise<FetchAnswer> {
    return (await this.fetchGrantText(ref)).value;
  }

  /** The same, also as it was written: JSON columns hold numbers with more digits than a value of JavaScript. */
  async fetchGrantText(ref: string): Promise<{ value: FetchAnswer; text: string }> {
    const path = await this.#path('grants', ref, 'fetch');
    return callJsonText(this.options, { method: 'POST', path, body: {}, repeatable: true });
  }

  /** The rows one by one, as they arrive; memory does not grow with their number. */
  async streamRows(ref: string, signal?: AbortSignal): Promise<RowStream> {
    const response = await this.#openStream(ref, 'application/x-ndjson', signal);
    return rowStreamOf(response, signal ?? this.options.signal);
  }

  /** The rows as they stream: NDJSON or CSV bytes. A stream that breaks off ends in an error, not in fewer rows. */
  async streamGrant(
    ref: string,
    accept: 'application/x-ndjson' | 'text/csv',
  ): Promise<AsyncGenerator<Uint8Array, void, undefined>> {
    return piecesOf(await this.#openStream(ref, accept));
  }

  async #openStream(ref: string, accept: string, signal?: AbortSignal): Promise<Response> {
    const path = await this.#path('grants', ref, 'fetch');
    return call(
      { ...this.options, timeoutMs: STREAM_TIMEOUT_MS },
      { method: 'POST', path, body: {}, accept, repeatable: true, ...(signal ? { signal } : {}) },
    );
  }

  async showGrant(ref: string): Promise<GrantBody> {
    return this.#get(await this.#path('grants', ref));
  }

  async revokeGrant(ref: string, reason?: string): Promise<GrantBody> {
    return this.#post(
      await this.#path('grants', ref, 'revoke'),
      reason === undefined ? {} : { reason },
    );
  }

  /** The datasets that one may know of. */
  async listDatasets(options: DiscoverOptions = {}): Promise<DatasetsAnswer> {
    return this.#get(await this.#path('aql', 'datasets'), { ...options });
  }

  async datasetSchema(name: string, options: DiscoverOptions = {}): Promise<DatasetSchemaAnswer> {
    return this.#get(await this.#path('aql', 'datasets', name, 'schema'), { ...options });
  }

  async readAudit(options: AuditOptions = {}): Promise<AuditPage> {
    return this.#get(await this.#path('audit'), { ...options });
  }

  /** The log as it streams: JSON Lines or CSV bytes. A stream that breaks off ends in an error, not in fewer records. */
  async exportAudit(
    options: Omit<AuditOptions, 'order' | 'cursor'> & { format: 'jsonl' | 'csv' },
  ): Promise<AsyncGenerator<Uint8Array, void, undefined>> {
    const path = await this.#path('audit', 'export');
    const response = await call(
      { ...this.options, timeoutMs: STREAM_TIMEOUT_MS },
      { method: 'GET', path, query: { ...options }, accept: '*/*' },
    );
    return piecesOf(response);
  }

  async readCheckpoints(
    options: { order?: 'asc' | 'desc'; cursor?: string; limit?: number } = {},
  ): Promise<CheckpointPage> {
    return this.#get(await this.#path('audit', 'checkpoints'), { ...options });
  }

  /** The server's public keys (RFC 7517), which verify grants and audit records. */
  jwks(): Promise<{ keys: readonly Record<string, unknown>[] }> {
    return this.#get('/.well-known/jwks.json');
  }

  async #path(...parts: readonly string[]): Promise<string> {
    this.#org ??= (await this.whoAmI()).org;
    return `/api/v1/orgs/${[this.#org, ...parts].map(encodeURIComponent).join('/')}`;
  }

  #get<T>(path: string, query?: Readonly<Record<string, string | number | undefined>>): Promise<T> {
    return callJson(this.options, { method: 'GET', path, ...(query ? { query } : {}) });
  }

  #post<T>(path: string, body: unknown): Promise<T> {
    return callJson(this.options, { method: 'POST', path, body });
  }
}

/** Longer than a server takes for as many requests as it decides again. */
const REPLAY_TIMEOUT_MS = 300_000;

/** Longer than a server takes for the largest catalog that it reads, and for its turn. */
const SCAN_TIMEOUT_MS = 300_000;

/** A stream has a deadline of its own on the server; this is the client's last resort. */
const STREAM_TIMEOUT_MS = 3_600_000;

async function* piecesOf({ body }: Response): AsyncGenerator<Uint8Array, void, undefined> {
  if (body === null) return;
  try {
    yield* body;
  } catch (cause) {
    throw brokenOff(cause);
  }
}
