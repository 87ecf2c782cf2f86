import { call } from '../../client/http.js';
import type { VkitClient } from '../../client/vkit-client.js';
import { VkitError } from '../../errors/index.js';
import { type DoctorCheck, failed, failedBy, ok, skipped, warning } from './check.js';

const TIMEOUT_MS = 5_000;
/** Grants and tickets are verified with a minute of leeway. */
const SKEW_MS_MAX = 60_000;
const SKEW_MS_WORTH_SAYING = 5_000;

export interface ServerToCheck {
  endpoint: string;
  /** Whether a flag, the environment or a login says so: else it is only where one would be. */
  isNamed: boolean;
  version: string;
  fetch: typeof globalThis.fetch;
  /** Null where nobody is logged in there. */
  client: VkitClient | null;
  now: () => number;
}

/** Whether the server answers, is of this version, keeps the time, knows who asks, and serves a bundle. */
export async function checkServer(server: ServerToCheck): Promise<DoctorCheck[]> {
  const { endpoint, version, client, now } = server;
  const options = {
    baseUrl: endpoint,
    userAgent: `vkit/${version}`,
    fetch: server.fetch,
    timeoutMs: TIMEOUT_MS,
  };
  const askedAt = now();
  let answer: Response;
  let theirs: unknown;
  try {
    answer = await call(options, { method: 'GET', path: '/health' });
    theirs = ((await answer.json()) as { version?: unknown }).version;
  } catch (error) {
    if (!server.isNamed) {
      const message = `No server is named, and none answers at ${endpoint}.`;
      return [skipped('server', message, 'Start one: vkit serve')];
    }
    const known = error instanceof VkitError ? error : notOurs(endpoint);
    return [failedBy('server', known)];
  }
  if (typeof theirs !== 'string') return [failedBy('server', notOurs(endpoint))];
  const checks = [
    ok('server', `${endpoint} answers`),
    theirs === version
      ? ok('server.version', theirs)
      : warning(
          'server.version',
          `The server is vkit ${theirs}, this is ${version}.`,
          'Use the same version on both sides.',
        ),
    checkClock(answer.headers.get('date'), (askedAt + now()) / 2),
  ];
  if (!client) {
    const hint = `vkit login --endpoint ${endpoint}`;
    return [...checks, skipped('server.login', `Nobody is logged in at ${endpoint}.`, hint)];
  }
  return [...checks, ...(await checkLogin(client))];
}

function notOurs(endpoint: string): VkitError {
  return new VkitError('server_unreachable', `What answers at ${endpoint} is no vkit server.`, {
    hint: 'Name another one: --endpoint',
  });
}

/** The server says the time in whole seconds, so half of one is nothing. */
function checkClock(date: string | null, localMs: number): DoctorCheck {
  const id = 'server.clock';
  const theirs = Date.parse(date ?? '');
  if (Number.isNaN(theirs)) return skipped(id, 'The server does not say what time it is.');
  const skewMs = Math.max(0, Math.abs(localMs - (theirs + 500)) - 500);
  const seconds = Math.round(skewMs / 1_000);
  if (skewMs < SKEW_MS_WORTH_SAYING) return ok(id, 'The clocks agree');
  const side = localMs > theirs ? 'behind' : 'ahead of';
  const message = `The server's clock is ${seconds} s ${side} this one.`;
  const hint = 'Set both clocks by NTP: grants are verified with a minute of leeway.';
  return skewMs > SKEW_MS_MAX ? failed(id, message, hint) : warning(id, message, hint);
}

async function checkLogin(client: VkitClient): Promise<DoctorCheck[]> {
  try {
    const who = await client.whoAmI();
    const login = ok('server.login', `${who.email ?? who.name} of ${who.org}`);
    return [login, await checkBundle(client)];
  } catch (error) {
    return [failedBy('server.login', error)];
  }
}

async function checkBundle(client: VkitClient): Promise<DoctorCheck> {
  const id = 'server.bundle';
  try {
    const { version, sequence, refusal } = await client.showBundle('active');
    if (refusal === null) return ok(id, `${version} is served, sequence ${sequence}`);
    const message = `The active bundle ${version} is not served: ${refusal.message}`;
    return failed(id, message, 'Everything is denied. See: vkit policy show');
  } catch (error) {
    if (!(error instanceof VkitError)) return failedBy(id, error);
    if (error.code === 'forbidden') {
      return skipped(
        id,
        'Only who administers policies, and auditors, see which bundle is active.',
      );
    }
    if (error.code !== 'not_found') return failedBy(id, error);
    const hint = 'vkit policy bundle && vkit policy deploy';
    return failed(id, 'No bundle is active, so everything is denied.', hint);
  }
}
