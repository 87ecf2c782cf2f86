import { VkitError } from '../../errors/index.js';
import { LIST_ROWS_MAX } from '../../store/repositories/columns.js';
import type { ControlContext } from './context.js';
import { type Identity, loadIdentity } from './identity.js';
import type { Permit } from './kept-permits.js';

/**
 * Follows what other processes change: stops what runs here by what they have taken away (a grant, an account, the bundle, a
 * datasource), closes connections to a datasource that is another now, and stops everything once it is not known any more
 * whether somebody has changed something. Resolves to what ends it.
 */
export async function watchRunning(
  ctx: ControlContext,
  onError: (error: unknown) => void = () => {},
): Promise<() => void> {
  const datasources = await watchDatasources(ctx);
  let isLooking = false;
  let isAsked = false;
  const look = async (): Promise<void> => {
    isAsked = true;
    if (isLooking) return;
    isLooking = true;
    try {
      while (isAsked) {
        isAsked = false;
        await datasources.look();
        await ctx.running.lookAgain(
          (permit) => stopReason(ctx, permit),
          () => void look(),
        );
      }
    } catch (error) {
      // A store that cannot be read stops everything by itself, before long.
      onError(error);
    } finally {
      isLooking = false;
    }
  };
  return ctx.store.watch((event) => {
    if (event === 'changed') return void look();
    ctx.running.stopAll(
      new VkitError('unavailable', 'The server has lost its database while the query ran.'),
    );
  });
}

/** Lets go of connections that were opened to what a datasource was before. */
async function watchDatasources(ctx: ControlContext): Promise<{ look(): Promise<void> }> {
  const read = async () => {
    const rows = await ctx.store.datasources.list(LIST_ROWS_MAX);
    return new Map(rows.map(({ id, updated_at }) => [id, updated_at]));
  };
  let seen = await read();
  return {
    async look() {
      const before = seen;
      seen = await read();
      const changed = [...new Set([...before.keys(), ...seen.keys()])].filter(
        (id) => before.get(id) !== seen.get(id),
      );
      if (changed.length === 0) return;
      for (const id of changed) ctx.connectors.forget(id);
      // As where it is changed here: changes are few, so everything is asked to start anew.
      ctx.running.stopAll(
        new VkitError('grant_revoked', 'A datasource was changed while the query ran.'),
      );
    },
  };
}

async function stopReason(ctx: ControlContext, permit: Permit): Promise<VkitError | null> {
  const { identity, grant, active } = permit;
  const present = await ctx.store.grants.byId(grant.id);
  if (!present || present.revoked_at !== null)
    return new VkitError('grant_revoked', 'The grant was revoked.');
  const account = await loadIdentity(ctx.store, identity.kind, identity.id, ctx.now());
  if (!account || attributes(account) !== attributes(identity))
    return new VkitError('grant_revoked', 'The account was changed while the query ran.');
  const session = identity.sessionId && (await ctx.store.sessions.byId(identity.sessionId));
  if (session && session.revoked_at !== null)
    return new VkitError('grant_revoked', 'The session was ended while the query ran.');
  const serving = await ctx.activeBundle(ctx.store);
  return serving?.epoch === active.epoch && serving.checksum === active.checksum
    ? null
    : new VkitError('bundle_superseded', 'Another bundle became active while the query ran.');
}

function attributes({ sessionId: _sessionId, ...identity }: Identity): string {
  return JSON.stringify(identity);
}
