import { createHash } from 'node:crypto';
import { escapeTerminal } from '../util/escape.js';
import type { Finding } from './finding.js';

/** GitHub takes at most 25,000 results of one run and shows 5,000. */
const RESULTS_MAX = 25_000;

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
  const shown = findings.slice(0, RESULTS_MAX);
  const codes = [...new Set(shown.map(({ code }) => code))].sort();
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'vkit',
            version: vkitVersion,
            rules: codes.map((code) => ({
              id: `policy/${code}`,
              shortDescription: { text: sentenceOf(code) },
            })),
          },
        },
        results: shown.map((finding) => ({
          ruleId: `policy/${finding.code}`,
          ruleIndex: codes.indexOf(finding.code),
          level: finding.severity,
          message: { text: messageOf(finding) },
          locations: [locationOf(finding, projectPath)],
          partialFingerprints: {
            // Without the line, so that a finding stays the same one when something is written above it.
            'vkitPolicy/v1': createHash('sha256')
              .update(JSON.stringify([finding.file, finding.code, finding.message]))
              .digest('hex'),
          },
        })),
      },
    ],
  };
}

/** `never_matches` as `Never matches`. */
function sentenceOf(code: string): string {
  const words = code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** SARIF's message syntax takes brackets for links. */
function messageOf({ message, suggestion }: Finding): string {
  const text = suggestion === undefined ? message : `${message} ${suggestion}`;
  return escapeTerminal(text).replace(/[[\]\\]/g, '\\$&');
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
