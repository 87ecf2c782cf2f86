import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { LoginAnswer } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import type { OidcProvider, OidcSecrets } from '../oidc-provider.js';
import { hashToken } from '../token-secrets.js';
import { auditEvent } from './audit-parts.js';
import { type CallMeta, type ControlContext, timestamp } from './context.js';
import { loadIdentity } from './identity.js';
import { openSession } from './log-in.js';
import { accountOfPerson, providedAttributes } from './oidc-account.js';

/** How long a login may take from its first step in the browser, and a code until it is fetched. */
export const BROWSER_LOGIN_SECONDS = 300;

/** What a command line asks for; its verifier stays with it. */
export interface BrowserLoginRequest {
  /** SHA-256 of the verifier, base64url. */
  challenge: string;
  /** Where it listens, on 127.0.0.1. */
  port: number;
  /** By which it knows the answer to its own question. */
  state: string;
}

interface Begun extends BrowserLoginRequest {
  /** Known to this browser alone; everything that is to be guessed follows from it. */
  secret: string;
  /** Milliseconds since the epoch. */
  at: number;
}

const SECRET_BYTES = 32;
const CLOCKS_APART_MS = 60_000;

/**
 * The first step: a cookie that binds the login to this browser, and where the browser goes. Nothing is kept here. Throws
 * `not_found` where there is no identity provider.
 */
export async function beginBrowserLogin(
  ctx: ControlContext,
  request: BrowserLoginRequest,
): Promise<{ cookie: string; url: string }> {
  const provider = requireProvider(ctx);
  const begun: Begun = {
    ...request,
    secret: randomBytes(SECRET_BYTES).toString('base64url'),
    at: ctx.now(),
  };
  const cookie = Buffer.from(JSON.stringify(begun)).toString('base64url');
  return { cookie, url: (await provider.begin(secretsOf(cookie))).href };
}

/**
 * The second step, when the provider sends the browser back: only the browser that began a login can end it. The answer is
 * where the browser goes: always to 127.0.0.1, with a code that is of use only beside the verifier, or with why not. Throws
 * `unauthenticated` for a login that was not begun in this browser, or too long ago.
 */
export async function finishBrowserLogin(
  ctx: ControlContext,
  cookie: string | undefined,
  query: URLSearchParams,
  call: CallMeta,
): Promise<{ url: string }> {
  const provider = requireProvider(ctx);
  const begun = cookie === undefined ? null : readCookie(cookie);
  const isOwn = begun !== null && isSame(query.get('state') ?? '', secretsOf(cookie ?? '').state);
  if (!begun || !isOwn || isOver(begun.at, ctx.now())) {
    // Nobody is known, nor that anybody logs in: anybody could fill the log with it.
    throw new VkitError('unauthenticated', 'No such login was begun in this browser.', {
      hint: 'Begin again on the command line: vkit login',
    });
  }
  const answer = new URL(`http://127.0.0.1:${begun.port}/callback`);
  answer.searchParams.set('state', begun.state);
  try {
    const code = await logInPerson(ctx, provider, { begun, cookie: cookie ?? '', query }, call);
    answer.searchParams.set('code', code);
  } catch (error) {
    const known =
      error instanceof VkitError
        ? error
        : new VkitError('internal', 'Something failed inside the server.');
    await recordFailure(ctx, known, call);
    answer.searchParams.set('error', known.code);
    answer.searchParams.set('message', [known.message, known.hint ?? ''].join(' ').trim());
  }
  return { url: answer.href };
}

interface Finishing {
  begun: Begun;
  cookie: string;
  query: URLSearchParams;
}

/** Leaves a code for whoever has the verifier. */
async function logInPerson(
  ctx: ControlContext,
  provider: OidcProvider,
  { begun, cookie, query }: Finishing,
  call: CallMeta,
): Promise<string> {
  const person = await provider.finish(query, secretsOf(cookie));
  const attributes = await providedAttributes(ctx, person);
  const code = randomBytes(SECRET_BYTES).toString('base64url');
  const { user, changed, agents } = await ctx.store.transaction(async (tx) => {
    const now = ctx.now();
    const account = await accountOfPerson(ctx, tx, { provider, person, attributes }, call);
    await tx.cliLogins.removeExpired(timestamp(now));
    await tx.cliLogins.insert({
      code_hash: hashToken(code),
      challenge: begun.challenge,
      user_id: account.user.id,
      expires_at: timestamp(begun.at + BROWSER_LOGIN_SECONDS * 1000),
    });
    return { ...account, agents: await tx.agentTokens.onBehalfOf(account.user.id, AGENTS_MAX) };
  });
  for (const { id } of changed ? [user, ...agents] : []) {
    ctx.running.stopRequester(
      id,
      new VkitError('grant_revoked', 'The account was changed while the query ran.'),
    );
  }
  return code;
}

/** Agents of one person whose queries are stopped with theirs. */
const AGENTS_MAX = 1_000;

/**
 * The last step, on the command line: the code from the browser and the verifier for a session, once. Throws `unauthenticated`
 * for everything else, without saying which of it failed.
 */
export async function exchangeBrowserLogin(
  ctx: ControlContext,
  { code, verifier }: { code: string; verifier: string },
  call: CallMeta,
): Promise<LoginAnswer> {
  const known = { login: false };
  try {
    return await ctx.store.transaction(async (tx) => {
      const now = ctx.now();
      const login = await tx.cliLogins.take(hashToken(code));
      known.login = login !== null;
      const isOwn = login !== null && isSame(challengeOf(verifier), login.challenge);
      const user = isOwn ? await tx.users.byId(login.user_id) : null;
      const identity = user && (await loadIdentity(tx, 'user', user.id, now));
      if (!login || !identity || user?.login !== 'oidc' || login.expires_at <= timestamp(now)) {
        throw new VkitError('unauthenticated', 'The login is unknown, used up or too old.', {
          hint: 'Begin again: vkit login',
        });
      }
      return openSession(ctx, tx, identity, 'oidc', call);
    });
  } catch (error) {
    // A code that there never was says of nobody that they tried to log in.
    if (known.login && error instanceof VkitError) await recordFailure(ctx, error, call);
    throw error;
  }
}

/** SHA-256 in base64url: what is told of a verifier beforehand. */
function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

/** Each is a hash of the whole cookie with a name of its own: no one tells anything of another. */
function secretsOf(cookie: string): OidcSecrets {
  const derive = (name: string) => challengeOf(`vkit oidc ${name} ${cookie}`);
  return { state: derive('state'), nonce: derive('nonce'), verifier: derive('verifier') };
}

/** What `beginBrowserLogin` wrote, or null. Its form is checked all the same: it comes from outside. */
function readCookie(cookie: string): Begun | null {
  try {
    const begun = JSON.parse(Buffer.from(cookie, 'base64url').toString('utf8')) as Begun;
    const { challenge, port, state, at } = begun;
    const texts = [challenge, state].every((text) => /^[\w-]{16,128}$/.test(text));
    return texts && Number.isSafeInteger(at) && isPort(port) ? begun : null;
  } catch {
    // Whatever it is, it is not ours.
    return null;
  }
}

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && (port as number) >= 1024 && (port as number) <= 65_535;
}

function isOver(at: number, now: number): boolean {
  // Another process may have begun it, by a clock of its own.
  return now < at - CLOCKS_APART_MS || now >= at + BROWSER_LOGIN_SECONDS * 1000;
}

function isSame(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function requireProvider({ oidc }: ControlContext): OidcProvider {
  if (oidc) return oidc;
  throw new VkitError('not_found', 'This server has no identity provider.', {
    hint: 'Log in with a password: vkit login --email ADDRESS',
  });
}

async function recordFailure(ctx: ControlContext, error: VkitError, call: CallMeta): Promise<void> {
  const event = auditEvent(ctx, 'login.failed', call, null);
  await ctx.store.audit.append({
    ...event,
    metadata: { ...event.metadata, method: 'oidc', reason: error.code },
  });
}
