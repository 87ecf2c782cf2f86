import { randomUUID } from 'node:crypto';

/** What a client was told and may rely on: only calls whose answer had come whole, but for `rowsSeen`. */
export interface Ledger {
  /** Correlation ids of every call that changed something. */
  calls: { correlationId: string; what: string }[];
  requests: { id: string; token: string; correlationId: string }[];
  grants: { ref: string; token: string }[];
  revoked: { ref: string; token: string }[];
  /** Correlation ids of fetches of which any byte came, also where the rest did not. */
  rowsSeen: string[];
  fetches: { correlationId: string; rows: number }[];
}

export function newLedger(): Ledger {
  return { calls: [], requests: [], grants: [], revoked: [], rowsSeen: [], fetches: [] };
}

/** Adds what another client was told. */
export function merge(into: Ledger, from: Ledger): void {
  for (const key of Object.keys(into) as (keyof Ledger)[]) {
    (into[key] as unknown[]).push(...from[key]);
  }
}

/** Clients of one server: how many of their calls are on their way, and whether they are to go on. */
export interface Traffic {
  url: string;
  inFlight: number;
  answered: number;
  stopped: boolean;
}

interface Called<T> {
  correlationId: string;
  body: T;
}

/** One call; `onBytes` is told when the first byte of a 200 came. Throws where the connection broke or the answer is no 200. */
export async function callServer<T>(
  traffic: Traffic,
  token: string,
  method: string,
  path: string,
  body?: object,
  onBytes?: (correlationId: string) => void,
): Promise<Called<T>> {
  const correlationId = randomUUID();
  traffic.inFlight += 1;
  try {
    const response = await fetch(`${traffic.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        'x-correlation-id': correlationId,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      if (text === '' && response.status === 200) onBytes?.(correlationId);
      text += decoder.decode(chunk, { stream: true });
    }
    if (response.status >= 300) throw new Answered(response.status, text);
    traffic.answered += 1;
    return { correlationId, body: JSON.parse(text) as T };
  } finally {
    traffic.inFlight -= 1;
  }
}

/** The server answered, but no 200: in this test a failure, not a crash. */
export class Answered extends Error {
  constructor(
    readonly status: number,
    readonly text: string,
  ) {
    super(`The server answered ${status}: ${text}`);
  }
}

interface Asked {
  request_id: string;
  status: string;
  grant_ref?: string;
}

const ORDERS = { source_table: 'orders', columns: ['id', 'customer_id'] };
const AMOUNTS = { source_table: 'orders', columns: ['id', 'amount'] };

/** Asks, fetches, and gives every third grant back, until the server is gone. */
export function agentClient(traffic: Traffic, token: string): Promise<Ledger> {
  return untilGone(traffic, async (ledger, turn) => {
    const asked = await submit(traffic, ledger, token, ORDERS);
    const ref = asked.grant_ref ?? '';
    ledger.grants.push({ ref, token });
    await fetchGrant(traffic, ledger, token, ref);
    if (turn % 2 === 0) return;
    const path = `/orgs/acme/grants/${ref}/revoke`;
    const { correlationId } = await callServer(traffic, token, 'POST', path, { reason: 'done' });
    ledger.calls.push({ correlationId, what: 'grant.revoked' });
    ledger.revoked.push({ ref, token });
  });
}

/** Asks for what needs an approval, has it approved, and fetches, until the server is gone. */
export function approvalClient(traffic: Traffic, token: string, approver: string): Promise<Ledger> {
  return untilGone(traffic, async (ledger) => {
    const { request_id: id } = await submit(traffic, ledger, token, AMOUNTS);
    const path = `/orgs/acme/approvals/${id}/approve`;
    const approved = await callServer<Asked>(traffic, approver, 'POST', path, {});
    ledger.calls.push({ correlationId: approved.correlationId, what: 'approval.approved' });
    const ref = approved.body.grant_ref ?? '';
    ledger.grants.push({ ref, token });
    await fetchGrant(traffic, ledger, token, ref);
  });
}

async function submit(
  traffic: Traffic,
  ledger: Ledger,
  token: string,
  aql: object,
): Promise<Asked> {
  const { body, correlationId } = await callServer<Asked>(
    traffic,
    token,
    'POST',
    '/orgs/acme/requests',
    { aql },
  );
  const what = body.status === 'granted' ? 'request.granted' : 'request.pending';
  ledger.calls.push({ correlationId, what });
  ledger.requests.push({ id: body.request_id, token, correlationId });
  return body;
}

async function fetchGrant(
  traffic: Traffic,
  ledger: Ledger,
  token: string,
  ref: string,
): Promise<void> {
  const path = `/orgs/acme/grants/${ref}/fetch`;
  const fetched = await callServer<{ rows: object[] }>(traffic, token, 'POST', path, {}, (id) =>
    ledger.rowsSeen.push(id),
  );
  ledger.fetches.push({ correlationId: fetched.correlationId, rows: fetched.body.rows.length });
}

async function untilGone(
  traffic: Traffic,
  turn: (ledger: Ledger, number: number) => Promise<void>,
): Promise<Ledger> {
  const ledger = newLedger();
  for (let number = 1; !traffic.stopped; number += 1) {
    try {
      await turn(ledger, number);
    } catch (error) {
      // A broken connection is the crash; an answer that says no is a failure of the server.
      if (error instanceof Answered || !traffic.stopped) throw error;
    }
  }
  return ledger;
}
