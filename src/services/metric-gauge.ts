/** A number that is looked up when somebody asks for the metrics, and costs nothing before. */
export interface MetricGauge {
  /** As Prometheus names metrics: `vkit_audit_sink_lag_records`. */
  name: string;
  help: string;
  /** Names of its labels. Their values are names that an administrator chose or a fixed few, never what a requester sends. */
  labels: readonly string[];
  collect(): Promise<readonly { labels: Readonly<Record<string, string>>; value: number }[]>;
}
