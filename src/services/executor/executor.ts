import type { KeyObject } from 'node:crypto';
import { createSecretKey } from 'node:crypto';
import { aqlHash } from '../../aql/aql-hash.js';
import { createCatalog } from '../../aql/catalog.js';
import { canonicalise } from '../../bundle/canonicalise.js';
import { parseBundleText } from '../../bundle/parse-bundle.js';
import type { Credentials, Engine } from '../../engines/contract.js';
import { VkitError } from '../../errors/index.js';
import { GRANT_ISSUER } from '../../grants/model.js';
import { grantSha256, verifyTicket } from '../../grants/ticket.js';
import { verifyGrant } from '../../grants/verify-grant.js';
import { createTokenCodec, type TokenCodec } from '../../masking/token-codec.js';
import { compilePolicySet } from '../../policy/policy-set.js';
import { type ConnectorOptions, createConnectors } from '../connectors.js';
import type { ActiveBundle } from '../control/active-bundle.js';
import { type BundleTrust, checkBundle } from '../control/check-bundle.js';
import { judge } from '../control/judge.js';
import { createDataPlane, type Execution } from '../data-plane.js';
import type { ControlLink } from './control-link.js';
import { createLease } from './lease.js';
import type { ExecuteBody, Redemption } from './wire.js';

export interface ExecutorOptions {
  trust: BundleTrust;
  /** Its own address, as control planes name it in tickets. */
  audiences: readonly string[];
  /** The keys that grants and tickets are signed with, by thumbprint. */
  grantKeys: () => Promise<ReadonlyMap<string, KeyObject>>;
  control: ControlLink;
  engine: (name: string) => Engine;
  connections: Omit<ConnectorOptions, 'engine' | 'credentials'>;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Milliseconds of a clock that never goes back. */
  clock: () => number;
}

export interface Executor {
  /**
   * Verifies ticket and grant, redeems the ticket, decides by itself what the active bundle says at this moment, and starts the
   * query. Aborting the signal cancels it in the database, as does a control plane that is not heard of any more.
   */
  execute(body: ExecuteBody, signal: AbortSignal): Promise<Execution>;
  running(): number;
  close(): Promise<void>;
}

/** Bundles that are held: the active one, and the one before while it is replaced. */
const BUNDLES_HELD_MAX = 2;

/** The data plane of a process that keeps no state: what it needs for a fetch it gets with the ticket. */
export function createExecutor(options: ExecutorOptions): Executor {
  const { control, engine, now, trust } = options;
  const secrets = connectionSecrets();
  const connectors = createConnectors({
    ...options.connections,
    engine,
    credentials: ({ name }) => secrets.of(name),
  });
  const bundles = bundleCache(options);
  const lease = createLease({ control, clock: options.clock });
  const tokens = tokenCodecs(trust.org);

  return {
    async execute({ ticket, grant, aql }, signal) {
      const grantKeys = await options.grantKeys();
      const claims = await verifyTicket(ticket, {
        keys: grantKeys,
        audiences: options.audiences,
        org: trust.org,
        now: now(),
      });
      if (claims.grant_sha256 !== grantSha256(grant))
        throw new VkitError('grant_invalid', 'The ticket is for another grant.');
      const running = lease.start(claims.grant_id, signal);
      try {
        const redemption = await control.redeem(ticket, running.signal);
        if (redemption.grant_id !== claims.grant_id)
          throw new VkitError('grant_invalid', 'The ticket is for another grant.');
        const active = await bundles.get(redemption.active);
        // Before anything is made of the query: it is the one that was granted.
        await verifyGrant(grant, {
          keys: grantKeys,
          issuer: GRANT_ISSUER,
          org: trust.org,
          now: now(),
          active,
          aqlSha256: aqlHash(aql),
          requesterId: redemption.requester.id,
          grantId: claims.grant_id,
        });
        const judgement = judge(active, redemption.requester, {
          aql,
          narrowing: redemption.narrowing,
          purpose: redemption.purpose,
          at: now(),
        });
        refuseDenied(judgement.decision, redemption);
        const { datasource } = judgement;
        if (datasource && secrets.put(datasource.name, redemption.credentials))
          connectors.forget(datasource.name);
        const plane = createDataPlane({
          org: trust.org,
          grantKeys,
          engine,
          connectors,
          tokens: tokens.of(redemption.token_keys),
          now,
          rowCap: redemption.row_cap,
          statementTimeoutMs: redemption.statement_timeout_ms,
        });
        const execution = await plane.execute({
          jwt: grant,
          grantId: claims.grant_id,
          requesterId: redemption.requester.id,
          aql,
          active,
          judgement,
          signal: running.signal,
        });
        return { ...execution, batches: ending(execution.batches, running) };
      } catch (error) {
        running.end();
        throw running.signal.aborted ? running.signal.reason : error;
      }
    },
    running: lease.running,
    async close() {
      lease.close();
      await connectors.close();
    },
  };
}

/** The batches of a query, which is over when they are read, or not read any more. */
async function* ending<T>(
  batches: AsyncIterable<T>,
  running: { signal: AbortSignal; end(): void },
): AsyncGenerator<T, void, undefined> {
  try {
    for await (const batch of batches) {
      running.signal.throwIfAborted();
      yield batch;
    }
  } catch (error) {
    throw running.signal.aborted ? running.signal.reason : error;
  } finally {
    running.end();
  }
}

function refuseDenied(
  decision: { action: string; reason?: string | null; policy_id?: string | null },
  { approved }: Redemption,
): void {
  const isAllowed =
    decision.action === 'allow' ||
    decision.action === 'mask' ||
    (decision.action === 'require_approval' && approved);
  if (isAllowed) return;
  throw new VkitError('policy_denied', decision.reason ?? 'The policies do not allow this query.', {
    hint: 'Ask again: vkit request',
    ...(decision.policy_id ? { policyId: decision.policy_id } : {}),
  });
}

/** The login of each datasource as it came last, for the connections that are opened with it. */
function connectionSecrets() {
  const held = new Map<string, { text: string; credentials: Credentials }>();
  return {
    of(name: string): Credentials {
      const known = held.get(name);
      if (known) return known.credentials;
      throw new VkitError('internal', 'No credentials came for this datasource.');
    },
    /** Whether they are others than those before. */
    put(name: string, credentials: Credentials): boolean {
      const text = canonicalise(credentials);
      const known = held.get(name);
      held.set(name, { text, credentials });
      return known !== undefined && known.text !== text;
    },
  };
}

function tokenCodecs(org: string) {
  let held: { text: string; codec: TokenCodec } | undefined;
  return {
    of(keys: Redemption['token_keys']): TokenCodec {
      const text = canonicalise(keys);
      if (held?.text !== text) {
        const opened = keys.map(({ version, key }) => ({
          version,
          key: createSecretKey(Buffer.from(key, 'base64')),
        }));
        held = { text, codec: createTokenCodec(org, opened) };
      }
      return held.codec;
    },
  };
}

/** Bundles by checksum and epoch, verified with the keys that this executor trusts: it believes no control plane. */
function bundleCache({ control, trust, now }: ExecutorOptions) {
  const held = new Map<string, Promise<ActiveBundle>>();
  const load = async ({
    version,
    checksum,
    epoch,
  }: Redemption['active']): Promise<ActiveBundle> => {
    const parsed = parseBundleText(await control.bundle(checksum));
    if ('problems' in parsed)
      throw new VkitError('unavailable', 'The control plane has no bundle that can be read.');
    await checkBundle(trust, parsed, now());
    const { bundle } = parsed;
    if (bundle.bundle.checksum !== checksum)
      throw new VkitError('unavailable', 'The control plane gave another bundle.');
    return {
      version,
      checksum,
      epoch,
      bundle,
      policies: compilePolicySet(bundle),
      catalog: createCatalog(bundle),
    };
  };
  return {
    async get(wanted: Redemption['active']): Promise<ActiveBundle> {
      const name = `${wanted.epoch} ${wanted.checksum}`;
      const loading = held.get(name) ?? load(wanted);
      held.delete(name);
      held.set(name, loading);
      loading.catch(() => held.delete(name));
      const [oldest] = held.keys();
      if (held.size > BUNDLES_HELD_MAX && oldest !== undefined) held.delete(oldest);
      const active = await loading;
      const expires = active.bundle.bundle.expires_at ?? null;
      if (expires !== null && Date.parse(expires) <= now())
        throw new VkitError('bundle_superseded', 'The active bundle has expired.');
      return active;
    },
  };
}
