import { expect } from 'vitest';
import type { FetchAnswer, RequestAnswer } from '../../src/client/wire.js';
import type { Answer, Governed } from './governed.js';

/** Submits a query, with what else the body may hold. */
export function ask(
  g: Governed,
  token: string,
  aql: object,
  more: object = {},
): Promise<Answer<RequestAnswer>> {
  return g.call<RequestAnswer>(token, 'POST', '/orgs/acme/requests', { aql, ...more });
}

/** Submits a query that is to be granted at once, and returns its grant's reference. */
export async function askGrant(
  g: Governed,
  token: string,
  aql: object,
  more: object = {},
): Promise<string> {
  const answer = await ask(g, token, aql, more);
  expect(answer).toMatchObject({ status: 200, body: { status: 'granted' } });
  return answer.body.grant_ref as string;
}

/** Submits a query that is to wait for an approval, and returns its id. */
export async function askPending(
  g: Governed,
  token: string,
  aql: object,
  more: object = {},
): Promise<string> {
  const answer = await ask(g, token, aql, more);
  expect(answer).toMatchObject({ status: 200, body: { status: 'pending_approval' } });
  return answer.body.request_id;
}

export function fetchRows(g: Governed, token: string, ref: string): Promise<Answer<FetchAnswer>> {
  return g.call<FetchAnswer>(token, 'POST', `/orgs/acme/grants/${ref}/fetch`, {});
}

export function approve(
  g: Governed,
  token: string,
  id: string,
  body: object = {},
): Promise<Answer<RequestAnswer>> {
  return g.call<RequestAnswer>(token, 'POST', `/orgs/acme/approvals/${id}/approve`, body);
}
