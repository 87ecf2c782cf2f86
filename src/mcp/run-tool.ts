import type { VkitClient } from '../client/vkit-client.js';
import type { IntentBody } from '../client/wire.js';
import { VkitError } from '../errors/index.js';
import { checkSchema } from '../util/check-schema.js';
import { discover } from './discover.js';
import { denial, failure, type Outcome, waiting, withRows } from './outcome.js';
import { type RowLimits, readRows } from './read-rows.js';
import { TOOLS, type ToolName } from './tools.js';

export interface ToolContext {
  client: VkitClient;
  limits: RowLimits;
}

type Arguments = Readonly<Record<string, unknown>>;

/**
 * Calls a tool. Whatever comes of it is an outcome, wrong arguments and a server that is away too; only an aborted call throws.
 */
export async function runTool(
  context: ToolContext,
  name: ToolName,
  args: unknown,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    const given = checkArguments(name, args ?? {});
    return await RUN[name]({ ...context, client: context.client.withSignal(signal) }, given);
  } catch (error) {
    signal.throwIfAborted();
    return failure(error);
  }
}

const RUN: Record<ToolName, (context: ToolContext, args: Arguments) => Promise<Outcome>> = {
  vaultkit_discover: discover,
  vaultkit_query: query,
  vaultkit_check_approval: checkApproval,
};

/** Models write `null` for what they leave out. */
function checkArguments(name: ToolName, args: unknown): Arguments {
  const tool = TOOLS.find((one) => one.name === name);
  const isObject = typeof args === 'object' && args !== null && !Array.isArray(args);
  const given = isObject
    ? Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null))
    : args;
  const findings = checkSchema(tool?.inputSchema ?? {}, given);
  if (findings.length === 0) return given as Arguments;
  const problems = findings.map(({ path: _path, ...problem }) => problem);
  const [first] = problems;
  throw new VkitError('validation', `The arguments of ${name} are not valid: ${first?.message}`, {
    details: { problems },
  });
}

async function query({ client, limits }: ToolContext, args: Arguments): Promise<Outcome> {
  const { limit } = args as { limit?: number };
  // One more than is shown, to tell that there are more.
  const rows = limit === undefined || limit > limits.rowsMax ? limits.rowsMax + 1 : limit;
  const request = { ...args, limit: rows } as IntentBody['request'];
  const answer = await client.submitIntent({ request });
  if (answer.status === 'pending_approval') return waiting('pending_approval', answer);
  if (answer.status === 'denied' || answer.grant_ref === undefined) return denial(answer);
  return withRows('ok', answer, await readRows(await client.streamRows(answer.grant_ref), limits));
}

async function checkApproval({ client, limits }: ToolContext, args: Arguments): Promise<Outcome> {
  const answer = await client.showRequest(String(args.request_id));
  if (answer.status === 'pending_approval') return waiting('pending', answer);
  if (answer.status === 'denied' || answer.grant_ref === undefined) return denial(answer);
  const stream = await client.streamRows(answer.grant_ref);
  return withRows('approved', answer, await readRows(stream, limits));
}
