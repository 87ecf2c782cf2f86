import type { SinksAnswer } from '../../client/wire.js';
import type { CallMeta, ControlContext } from './context.js';
import { type Identity, requireAdministrator } from './identity.js';
import { sinkLags } from './sink-lags.js';

/** How far each sink of the configuration is behind the log. */
export async function listSinks(
  ctx: ControlContext,
  identity: Identity,
  call: CallMeta,
): Promise<SinksAnswer> {
  requireAdministrator(identity, 'auditor');
  const sinks = await sinkLags(ctx.store, ctx.now(), ctx.auditSinkNames);
  return {
    sinks: sinks.map((sink) => ({ id: sink.name, ...sink })),
    correlation_id: call.correlationId,
  };
}
