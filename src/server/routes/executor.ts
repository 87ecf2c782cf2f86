import { Type } from 'typebox';
import { VkitError } from '../../errors/index.js';
import type { ControlContext } from '../../services/control/context.js';
import {
  grantsToStop,
  LEASE_GRANTS_MAX,
  redeemTicket,
} from '../../services/control/redeem-ticket.js';
import { holdsExecutorToken } from '../../services/executor/executor-token.js';
import { callMeta, type Server } from '../server-context.js';

const STRICT = { additionalProperties: false } as const;
const RedeemBody = Type.Object({ ticket: Type.String({ maxLength: 4_096 }) }, STRICT);
const LeaseBody = Type.Object(
  { grants: Type.Array(Type.String({ maxLength: 64 }), { maxItems: LEASE_GRANTS_MAX }) },
  STRICT,
);
const BundleParams = Type.Object({ checksum: Type.String({ maxLength: 128 }) });
/** Grant ids of as many queries as an executor runs at once. */
const LEASE_BYTES_MAX = 1024 * 1024;

/** What executors ask; they are known by the secret that they share with the control plane, and are no requesters. */
export function executorRoutes(api: Server, ctx: ControlContext): void {
  const { executors } = ctx;
  if (!executors) return;
  api.register(
    async (own: Server) => {
      own.addHook('onRequest', async (request) => {
        if (holdsExecutorToken(request.headers.authorization, executors.token)) return;
        throw new VkitError('unauthenticated', 'This needs the token of the executors.');
      });
      own.post('/redeem', { schema: { body: RedeemBody, hide: true } }, async (request) =>
        redeemTicket(ctx, request.body.ticket, callMeta(request)),
      );
      own.post(
        '/lease',
        { schema: { body: LeaseBody, hide: true }, bodyLimit: LEASE_BYTES_MAX },
        async (request) => ({ stop: await grantsToStop(ctx, request.body.grants) }),
      );
      own.get(
        '/bundles/:checksum',
        { schema: { params: BundleParams, hide: true } },
        async (request, reply) => {
          const facts = await ctx.store.bundles.byChecksum(request.params.checksum);
          const text = facts && (await ctx.store.bundles.document(facts.version));
          if (!text) throw new VkitError('not_found', 'There is no such bundle.');
          return reply.type('application/json; charset=utf-8').send(text);
        },
      );
    },
    { prefix: '/executor' },
  );
}
