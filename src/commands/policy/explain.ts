import { boolean, string } from '@oclif/core/flags';
import { parseTimestamp } from '../../aql/parse-moment.js';
import { BaseCommand } from '../../cli/base-command.js';
import { exitCodeOfExplanation, renderExplanation } from '../../cli/explanation-report.js';
import { jsonFlag, projectFlags } from '../../cli/flags.js';
import { projectContext } from '../../cli/project-context.js';
import { readAql } from '../../cli/read-aql.js';
import { VkitError } from '../../errors/index.js';
import { findProject } from '../../project/find-project.js';
import { type ExplainedQuery, explainDecision } from '../../services/explain-decision.js';
import { loadPolicies } from '../../services/load-policies.js';

export default class PolicyExplain extends BaseCommand {
  static override summary = 'Show what the policies decide, and why.';
  static override description =
    `Decides a query for a requester you describe, from the project's policies as they are now, committed or not, or from a bundle \
(its checksum is checked, its signature is not). Says of every policy why it did or did not match. What you do not say of the requester is \
not known. The query comes from --aql, --file or stdin; or name a --dataset and its --fields. Exits 0 when it is allowed or \
masked, 3 when it is denied and 4 when an approval is needed.`;
  static override examples = [
    '<%= config.bin %> policy explain --dataset customers --fields id,email --role analyst --clearance low',
    `<%= config.bin %> policy explain --aql '{"source_table": "customers", "columns": ["*"]}' --agent --purpose support`,
    '<%= config.bin %> policy explain --file query.json --role engineer --bundle dist/policy_bundle.json --at 2026-03-02T10:00:00Z',
  ];
  static override flags = {
    ...projectFlags,
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
    const at = flags.at === undefined ? Date.now() : momentOf(flags.at);
    const query: ExplainedQuery =
      flags.dataset === undefined
        ? { aql: flags.aql ?? (await readAql(flags.file)) }
        : { dataset: flags.dataset, fields: flags.fields ?? [] };
    const { bundle, clearance, region, purpose } = flags;
    const policies = await loadPolicies(
      bundle === undefined
        ? { root: (await findProject(projectContext(flags).cwd)).root }
        : { bundle },
    );
    const { role: roles = [] } = flags;
    const strange = roles.filter((role) => policies.roles?.includes(role) === false);
    if (strange.length > 0) this.warn(`vkit.yaml does not know the role ${strange.join(', ')}.`);
    const who = {
      roles,
      ...(clearance === undefined ? {} : { clearance }),
      ...(region === undefined ? {} : { region }),
      ...(purpose === undefined ? {} : { purpose }),
      purposeAssigned: !flags['purpose-unassigned'],
      isAgent: flags.agent,
    };
    const explanation = explainDecision(policies, who, query, at);
    this.log(renderExplanation(explanation));
    const exitCode = exitCodeOfExplanation(explanation);
    return exitCode === 0 ? explanation : this.answer(exitCode, explanation);
  }
}

function momentOf(text: string): number {
  const moment = parseTimestamp(text, true);
  if (moment !== undefined) return Date.parse(moment);
  throw new VkitError('usage', 'The flag --at does not take this value.', {
    hint: 'It takes a moment such as 2026-03-02T10:00:00Z.',
  });
}
