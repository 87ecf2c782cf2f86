import { createHash } from 'node:crypto';
import { escapeTerminal } from './escape.js';

/** GitHub takes at most 25,000 results of one run and shows 5,000. */
export const SARIF_RESULTS_MAX = 25_000;

export interface SarifRule {
  id: string;
  shortDescription: { text: string };
  defaultConfiguration?: { level: string };
}

export interface SarifRun {
  toolName: string;
  toolVersion: string;
  rules: readonly SarifRule[];
  results: readonly object[];
}

/** A SARIF 2.1.0 log (OASIS) of one run. */
export function sarifLog({ toolName, toolVersion, rules, results }: SarifRun): object {
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver: { name: toolName, version: toolVersion, rules } }, results }],
  };
}

/** A message whose names are shown and not obeyed: SARIF's message syntax takes brackets for links. */
export function sarifMessage(text: string): { text: string } {
  return { text: escapeTerminal(text).replace(/[[\]\\]/g, '\\$&') };
}

/** The digest by which a result is the same one in every run; a digest, since what is named in it may be anything. */
export function sarifFingerprint(parts: readonly (string | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
