import { boolean, string } from '@oclif/core/flags';
import { parseTimestamp } from '../../aql/parse-moment.js';
import { BaseCommand } from '../../cli/base-command.js';
import { connect, type ServerFlagValues } from '../../cli/connect.js';
import { exitCodeOfExplanation, renderExplanation } from '../../cli/explanation-report.js';
import { jsonFlag, projectFlags, serverFlags } from '../../cli/flags.js';
import { cacheOptions, projectContext } from '../../cli/project-context.js';
import { readAql } from '../../cli/read-aql.js';
import type { Explanation } from '../../client/wire.js';
import { VkitError } from '../../errors/index.js';
import { meantRole } from '../../policy/policy-test-input.js';
import { findProject } from '../../project/find-project.js';
import { type ExplainedQuery, explainDecision } from '../../services/explain-decision.js';
import { loadPolicies } from '../../services/load-policies.js';

/** For who has a question and no query. */
const OTHERWISE = 'name what it would read: --dataset NAME --fields NAME,NAME';

export default class PolicyExplain extends BaseCommand {
  static override summary = 'Show what the policies decide, and why.';
  static override description =
    `Decides a query for a requester you describe, from the project's policies as they are now, committed or not, or from a bundle \
(its checksum is checked, its signature is not). Says of every policy why it did or did not match. What you do not say of the requester is \
not known. The query comes from --aql, --file or stdin; or name a --dataset and its --fields. --remote asks the server by its active \
bundle, also for an account as it is now, which the server records. Exits 0 when it is allowed or masked, 3 when it is denied and 4 \
when an approval is needed.`;
  static override examples = [
    '<%= config.bin %> policy explain --dataset customers --fields id,email --role analyst --clearance low',
    `<%= config.bin %> policy explain --aql '{"source_table": "customers", "columns": ["*"]}' --agent --purpose support`,
    '<%= config.bin %> policy explain --file query.json --role engineer --bundle dist/policy_bundle.json --at 2026-03-02T10:00:00Z',
    '<%= config.bin %> policy explain --remote --user ana@example.com --dataset customers --fields email',
  ];
  static override flags = {
    ...serverFlags,
    ...projectFlags,
    remote: boolean({
      description: 'Ask the server, by the bundle that is active there.',
      exclusive: ['bundle', 'dir'],
    }),
    user: string({
      description:
        'Email or id of an account, or id or name of an agent, instead of a description.',
      dependsOn: ['remote'],
      exclusive: ['role', 'clearance', 'region', 'agent', 'purpose-unassigned'],
      helpValue: 'EMAIL',
    }),
    aql: jsonFlag({ description: 'The query.', exclusive: ['file', 'dataset'] }),
    file: string({
      description: 'File that holds the query; - is stdin.',
      exclusive: ['dataset'],
      helpValue: 'FILE',
    }),
    dataset: string({ description: 'Dataset instead of a query.', helpValue: 'NAME' }),
    fields: string({
      description: 'Fields of the dataset that are read, with commas; none is count(*).',
      dependsOn: ['dataset'],
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      helpValue: 'NAMES',
    }),
    role: string({
      description: 'Role the requester holds; may be given several times.',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME',
    }),
    clearance: string({ description: 'Clearance of the requester.', helpValue: 'NAME' }),
    region: string({ description: 'Region of the requester.', helpValue: 'NAME' }),
    purpose: string({
      description: 'What the data is for; taken as assigned to the requester.',
      helpValue: 'NAME',
    }),
    'purpose-unassigned': boolean({
      description: 'The purpose is only said, not assigned: no allow may rest on it.',
      dependsOn: ['purpose'],
    }),
    agent: boolean({ description: 'The requester is an agent: it holds agent and ai_agent.' }),
    at: string({
      description: 'Moment of the request (RFC 3339); else now.',
      helpValue: 'TIME',
    }),
    bundle: string({
      description: 'Decide by this bundle instead of the files.',
      helpValue: 'FILE',
    }),
  };

  async run(): Promise<object> {
    const { flags } = await this.parse(PolicyExplain);
    const at = flags.at === undefined ? undefined : momentOf(flags.at);
    refuseUnlessRemote(flags);
    const query: ExplainedQuery =
      flags.dataset === undefined
        ? { aql: flags.aql ?? (await readAql(flags.file, OTHERWISE)) }
        : { dataset: flags.dataset, fields: flags.fields ?? [] };
    const explanation = await (flags.remote
      ? this.explainRemotely(flags, query, at)
      : this.explainLocally(flags, query, at ?? Date.now()));
    this.log(renderExplanation(explanation));
    const exitCode = exitCodeOfExplanation(explanation);
    return exitCode === 0 ? explanation : this.answer(exitCode, explanation);
  }

  private async explainLocally(
    flags: RequesterFlags & { dir?: string | undefined; bundle?: string | undefined },
    query: ExplainedQuery,
    at: number,
  ): Promise<Explanation> {
    const { bundle } = flags;
    const policies = await loadPolicies(
      bundle === undefined
        ? { root: (await findProject(projectContext(flags).cwd)).root, ...cacheOptions() }
        : { bundle },
    );
    for (const role of flags.role ?? []) {
      const { roles } = policies;
      if (roles === null || roles.includes(role)) continue;
      this.warn(`The role "${role}" is not in vkit.yaml. ${meantRole(role, roles)}`);
    }
    const who = {
      roles: flags.role ?? [],
      ...attributesOf(flags),
      purposeAssigned: !flags['purpose-unassigned'],
      isAgent: flags.agent,
    };
    return explainDecision(policies, who, query, at);
  }

  /** Without --at the moment is the server's. */
  private async explainRemotely(
    flags: RequesterFlags & ServerFlagValues & { user?: string | undefined },
    query: ExplainedQuery,
    at: number | undefined,
  ): Promise<Explanation> {
    const { client } = await connect(flags, this.config.version);
    const { user } = flags;
    const described = {
      roles: flags.role ?? [],
      purpose_assigned: !flags['purpose-unassigned'],
      agent: flags.agent,
    };
    return client.explainDecision({
      ...query,
      requester: { ...attributesOf(flags), ...(user === undefined ? described : { user }) },
      ...(at === undefined ? {} : { at: new Date(at).toISOString() }),
    });
  }
}

interface RequesterFlags {
  role?: string[] | undefined;
  clearance?: string | undefined;
  region?: string | undefined;
  purpose?: string | undefined;
  'purpose-unassigned': boolean;
  agent: boolean;
}

/** Those attributes that were said; the others are not known. */
function attributesOf({ clearance, region, purpose }: RequesterFlags) {
  return {
    ...(clearance === undefined ? {} : { clearance }),
    ...(region === undefined ? {} : { region }),
    ...(purpose === undefined ? {} : { purpose }),
  };
}

/** Who names a server expects its answer, and must not get that of the files. */
function refuseUnlessRemote({ remote, ...flags }: ServerFlagValues & { remote: boolean }): void {
  if (remote) return;
  for (const name of ['endpoint', 'profile'] as const) {
    if (flags[name] === undefined) continue;
    throw new VkitError('usage', `The flag --${name} needs --remote.`, {
      hint: "Without it the policies of the project's files decide, and no server is asked.",
      details: { flag: `--${name}` },
    });
  }
}

function momentOf(text: string): number {
  const moment = parseTimestamp(text, true);
  if (moment !== undefined) return Date.parse(moment);
  throw new VkitError('usage', 'The flag --at does not take this value.', {
    hint: 'It takes a moment such as 2026-03-02T10:00:00Z.',
  });
}
