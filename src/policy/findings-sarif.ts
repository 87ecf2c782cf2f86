import { SARIF_RESULTS_MAX, sarifFingerprint, sarifLog, sarifMessage } from '../util/sarif.js';
import type { Finding } from './finding.js';

export interface FindingsSarifOptions {
  vkitVersion: string;
  /** The path of the project from the root of its repository, with `/`; '' where they are the same. */
  projectPath: string;
}

/** Findings as a SARIF 2.1.0 log (OASIS), for GitHub's code scanning: one rule per code, one result per finding. */
export function renderFindingsSarif(
  findings: readonly Finding[],
  { vkitVersion, projectPath }: FindingsSarifOptions,
): object {
  const shown = findings.slice(0, SARIF_RESULTS_MAX);
  const codes = [...new Set(shown.map(({ code }) => code))].sort();
  return sarifLog({
    toolName: 'vkit',
    toolVersion: vkitVersion,
    rules: codes.map((code) => ({
      id: `policy/${code}`,
      shortDescription: { text: sentenceOf(code) },
    })),
    results: shown.map((finding) => ({
      ruleId: `policy/${finding.code}`,
      ruleIndex: codes.indexOf(finding.code),
      level: finding.severity,
      message: sarifMessage(textOf(finding)),
      locations: [locationOf(finding, projectPath)],
      partialFingerprints: {
        // Without the line, so that a finding stays the same one when something is written above it.
        'vkitPolicy/v1': sarifFingerprint([finding.file, finding.code, finding.message]),
      },
    })),
  });
}

/** `never_matches` as `Never matches`. */
function sentenceOf(code: string): string {
  const words = code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function textOf({ message, suggestion }: Finding): string {
  return suggestion === undefined ? message : `${message} ${suggestion}`;
}

function locationOf({ file, line, column }: Finding, projectPath: string): object {
  const path = projectPath === '' ? file : `${projectPath}/${file}`;
  return {
    physicalLocation: {
      artifactLocation: { uri: path.split('/').map(encodeURIComponent).join('/') },
      region: { startLine: line, startColumn: column },
    },
  };
}
