import type { ControlContext } from '../../services/control/context.js';
import { rotateVault } from '../../services/control/rotate-vault.js';
import { OrgParams, RotateVaultBody } from '../schemas.js';
import { callerOf, callMeta, type Server } from '../server-context.js';

/** The credential vault as a whole; its secrets never come out. */
export function vaultRoutes(org: Server, ctx: ControlContext): void {
  org.post(
    '/vault/rotate',
    {
      schema: {
        summary: 'Seal a batch of secrets anew under the present master secret',
        tags: ['vault'],
        params: OrgParams,
        body: RotateVaultBody,
      },
    },
    async (request) => rotateVault(ctx, callerOf(request), request.body.after, callMeta(request)),
  );
}
