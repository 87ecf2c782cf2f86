/** One place that audit records are sent to; what else it has is what the schema says of its type. */
export type AuditSinkConfig = { type: string; name: string } & Readonly<Record<string, unknown>>;

export interface AuditConfig {
  sinks: readonly AuditSinkConfig[];
  checkpoint_records: number;
  checkpoint_seconds: number;
  /** Absent: records stay for ever. */
  retention_days?: number;
}

export const AUDIT_DEFAULTS: AuditConfig = {
  sinks: [],
  checkpoint_records: 1_000,
  checkpoint_seconds: 60,
};

export interface AuditProblem {
  path: readonly (string | number)[];
  message: string;
}

/** Settings of which only one may be there. */
const ALTERNATIVES = [
  ['url', 'url_env', 'url_file'],
  ['password_env', 'password_file'],
  ['secret_env', 'secret_file'],
] as const;

/** What a schema cannot say of the audit log's settings. */
export function auditProblems({
  sinks = [],
  retention_days,
}: Partial<AuditConfig>): AuditProblem[] {
  const problems: AuditProblem[] = sinks.flatMap((sink, index) => {
    const at = (key: string, message: string) => ({
      path: ['audit', 'sinks', index, key],
      message,
    });
    const before = sinks.slice(0, index);
    return [
      ...(before.some(({ name }) => name === sink.name)
        ? [at('name', `There are two sinks called "${sink.name}".`)]
        : []),
      ...(isSameFile(before, sink)
        ? [at('path', `Two sinks write to one file; the second is "${sink.name}".`)]
        : []),
      ...ALTERNATIVES.flatMap((keys) => {
        const [first, second] = keys.filter((key) => key in sink);
        if (first === undefined || second === undefined) return [];
        return [at(second, `Only one of "${first}" and "${second}" can be there.`)];
      }),
      ...('retention_mode' in sink && !('retention_days' in sink)
        ? [at('retention_mode', '"retention_mode" says nothing without "retention_days".')]
        : []),
    ];
  });
  if (retention_days !== undefined && !sinks.some(({ type }) => type !== 'stdout')) {
    const message =
      'Records are removed here only where a sink keeps them: "retention_days" needs one that is not stdout.';
    problems.push({ path: ['audit', 'retention_days'], message });
  }
  return problems;
}

function isSameFile(before: readonly AuditSinkConfig[], { path }: AuditSinkConfig): boolean {
  return path !== undefined && before.some((other) => other.path === path);
}
