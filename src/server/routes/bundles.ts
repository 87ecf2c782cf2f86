import { parseVersion } from '../../services/control/bundle-body.js';
import {
  activateBundle,
  deployBundle,
  revokeBundle,
  rollbackBundle,
} from '../../services/control/bundle-lifecycle.js';
import type { ControlContext } from '../../services/control/context.js';
import { explainUnderActive } from '../../services/control/explain-under-active.js';
import { listBundles, showBundle } from '../../services/control/read-bundles.js';
import { createReplay } from '../../services/control/replay-requests.js';
import {
  DeployBody,
  EmptyBody,
  ExplainBody,
  IdParams,
  OrgParams,
  ReasonBody,
  ReplayBody,
} from '../schemas.js';
import { callerOf, callMeta, type Server } from '../server-context.js';

/** A bundle of 10,000 policies and datasets fits well. */
const BUNDLE_BYTES_MAX = 64 * 1024 * 1024;

export function bundleRoutes(org: Server, ctx: ControlContext): void {
  org.get('/policy_bundles', { schema: { params: OrgParams } }, async (request) => ({
    policy_bundles: await listBundles(ctx, callerOf(request)),
    correlation_id: request.id,
  }));
  org.post(
    '/policy_bundles',
    { bodyLimit: BUNDLE_BYTES_MAX, schema: { params: OrgParams, body: DeployBody } },
    async (request, reply) => {
      const { bundle, activate = true } = request.body;
      const answer = await deployBundle(
        ctx,
        callerOf(request),
        bundle,
        { activate },
        callMeta(request),
      );
      return reply.code(answer.created ? 201 : 200).send(answer);
    },
  );
  org.get('/policy_bundles/:id', { schema: { params: IdParams } }, async (request) =>
    showBundle(ctx, callerOf(request), request.params.id, callMeta(request)),
  );
  org.post(
    '/policy_bundles/explain',
    { schema: { params: OrgParams, body: ExplainBody } },
    async (request) => explainUnderActive(ctx, callerOf(request), request.body, callMeta(request)),
  );
  const replay = createReplay();
  org.post(
    '/policy_bundles/replay',
    { bodyLimit: 2 * BUNDLE_BYTES_MAX, schema: { params: OrgParams, body: ReplayBody } },
    async (request) => replay(ctx, callerOf(request), request.body, callMeta(request)),
  );
  org.post(
    '/policy_bundles/:id/activate',
    { schema: { params: IdParams, body: EmptyBody } },
    async (request) =>
      activateBundle(ctx, callerOf(request), parseVersion(request.params.id), callMeta(request)),
  );
  org.post(
    '/policy_bundles/:id/rollback',
    { schema: { params: IdParams, body: ReasonBody } },
    async (request) =>
      rollbackBundle(
        ctx,
        callerOf(request),
        parseVersion(request.params.id),
        request.body.reason,
        callMeta(request),
      ),
  );
  org.post(
    '/policy_bundles/:id/revoke',
    { schema: { params: IdParams, body: ReasonBody } },
    async (request) =>
      revokeBundle(
        ctx,
        callerOf(request),
        parseVersion(request.params.id),
        request.body.reason,
        callMeta(request),
      ),
  );
}
