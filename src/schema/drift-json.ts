import {
  type DriftFinding,
  type DriftSummary,
  type SuggestedPolicy,
  summarizeDrift,
} from './drift.js';
import type { ScanReport } from './drift-report.js';
import type { LoginAbility } from './model.js';

/** A scan for programs: the document of `vkit scan --json`. */
export interface DriftJson {
  id: string;
  server: string;
  tables: number;
  fields: number;
  duration_ms: number;
  /** Whether anything differs from the baseline as it was before this scan. */
  drift: boolean;
  summary: DriftSummary;
  findings: readonly DriftFinding[];
  /** Policies for sensitive fields that nothing covers, as files to write. */
  suggestions: readonly SuggestedPolicy[];
  left_out: readonly string[];
  /** What the login could do beyond reading; null where the engine was not asked. */
  login: readonly LoginAbility[] | null;
  applied: boolean;
  /** What values were looked at; null without --sample. */
  sample: ScanReport['sample'] | null;
}

export function renderDriftJson(report: ScanReport): DriftJson {
  const {
    datasource,
    server,
    tables,
    fields,
    durationMs,
    drift,
    suggestions,
    leftOut,
    login,
    applied,
    sample = null,
  } = report;
  return {
    id: datasource,
    server,
    tables,
    fields,
    duration_ms: Math.round(durationMs),
    drift: drift.length > 0,
    summary: summarizeDrift(drift),
    findings: drift,
    suggestions,
    left_out: leftOut,
    login,
    applied,
    sample,
  };
}
