import { BaseCommand } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { serverFlags } from '../../cli/flags.js';
import { requestArgs, requestFlags } from '../../cli/request-flags.js';
import { nextStep, reportRequest } from '../../cli/request-report.js';
import { requireOneOf } from '../../cli/require-one-of.js';
import type { VkitClient } from '../../client/vkit-client.js';
import type { GrantBody } from '../../client/wire.js';

export default class RequestsShow extends BaseCommand {
  static override summary = 'Show how a request stands.';
  static override description =
    'An approver sees the whole query too, why it waits, and what the requester says of it.';
  static override examples = ['<%= config.bin %> requests show req_…'];
  static override args = requestArgs;
  static override flags = {
    ...serverFlags,
    ...requestFlags,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(RequestsShow);
    const id = requireOneOf(args.id, flags.request, 'request', {
      thing: 'request',
      list: 'vkit requests list',
    });
    const { client } = await connect(flags, this.config.version);
    const answer = await client.showRequest(id);
    const now = Date.now();
    this.log(reportRequest(answer, now));
    // A revoked grant stays one of an approved request; only the grant itself says that it is over.
    const { grant_ref: ref } = answer;
    const grant = ref === undefined || this.jsonEnabled() ? undefined : await stateOf(client, ref);
    const reader = answer.aql === undefined ? 'requester' : 'approver';
    this.note(nextStep(answer, { now, reader, ...(grant === undefined ? {} : { grant }) }));
    return answer;
  }
}

/** Unknown to an approver who may not see the grant; the answer about the request stands without it. */
async function stateOf(client: VkitClient, ref: string): Promise<GrantBody['state'] | undefined> {
  return client.showGrant(ref).then(
    ({ state }) => state,
    () => undefined,
  );
}
