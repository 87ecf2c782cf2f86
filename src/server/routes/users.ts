import type { ControlContext } from '../../services/control/context.js';
import {
  createUser,
  disableUser,
  enableUser,
  listUsers,
  resetPassword,
  updateUser,
} from '../../services/control/manage-users.js';
import {
  CreateUserBody,
  EmptyBody,
  IdParams,
  OrgParams,
  PasswordBody,
  UpdateUserBody,
} from '../schemas.js';
import { callerOf, callMeta, type Server } from '../server-context.js';

export function userRoutes(org: Server, ctx: ControlContext): void {
  org.get('/users', { schema: { params: OrgParams } }, async (request) => ({
    users: await listUsers(ctx, callerOf(request)),
    correlation_id: request.id,
  }));
  org.post(
    '/users',
    { schema: { params: OrgParams, body: CreateUserBody } },
    async (request, reply) => {
      const {
        email,
        password = null,
        roles = [],
        clearance = null,
        region = null,
        purposes = [],
      } = request.body;
      const user = await createUser(
        ctx,
        callerOf(request),
        { email, password, roles, clearance, region, purposes },
        callMeta(request),
      );
      return reply.code(201).send({ ...user, correlation_id: request.id });
    },
  );
  org.patch(
    '/users/:id',
    { schema: { params: IdParams, body: UpdateUserBody } },
    async (request) => ({
      ...(await updateUser(
        ctx,
        callerOf(request),
        request.params.id,
        request.body,
        callMeta(request),
      )),
      correlation_id: request.id,
    }),
  );
  org.post(
    '/users/:id/disable',
    { schema: { params: IdParams, body: EmptyBody } },
    async (request) => ({
      ...(await disableUser(ctx, callerOf(request), request.params.id, callMeta(request))),
      correlation_id: request.id,
    }),
  );
  org.post(
    '/users/:id/enable',
    { schema: { params: IdParams, body: EmptyBody } },
    async (request) => ({
      ...(await enableUser(ctx, callerOf(request), request.params.id, callMeta(request))),
      correlation_id: request.id,
    }),
  );
  org.post(
    '/users/:id/password',
    { schema: { params: IdParams, body: PasswordBody } },
    async (request) => {
      const { id } = request.params;
      const user = await resetPassword(
        ctx,
        callerOf(request),
        id,
        request.body.password,
        callMeta(request),
      );
      return { ...user, correlation_id: request.id };
    },
  );
}
