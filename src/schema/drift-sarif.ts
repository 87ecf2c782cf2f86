import { escapeTerminal } from '../util/escape.js';
import { SARIF_RESULTS_MAX, sarifFingerprint, sarifLog, sarifMessage } from '../util/sarif.js';
import { DRIFT_KINDS, type DriftFinding, type DriftKind } from './drift.js';
import { changeOf, noteOf, type ScanReport } from './drift-report.js';

const RULES: Record<DriftKind, string> = {
  dataset_added: 'A table is not in the reviewed registry',
  dataset_removed: 'A reviewed table is gone',
  dataset_returned: 'A table that was gone is back',
  renamed: 'A table or column was renamed',
  redefined: 'A view was redefined, or a table became another kind',
  keys_changed: 'Keys of a table changed',
  row_security_changed: 'Row-level security of a table changed',
  field_added: 'A column is not in the reviewed registry',
  field_removed: 'A reviewed column is gone',
  field_returned: 'A column that was gone is back',
  type_changed: 'The type of a column changed',
  nullability_changed: 'A column takes, or no longer takes, NULL',
  comment_changed: 'The comment of a column changed',
  moved: 'Columns changed their order',
};

/** What SARIF needs to know beside the scans. */
export interface SarifOptions {
  vkitVersion: string;
  /** The registry's path from the repository's root, which findings point to whose dataset is nowhere else. */
  registryPath: string;
  /** Where each dataset begins, by its key; line 1 of the registry where it is not in it yet. */
  places?: ReadonlyMap<string, { path: string; line: number }>;
}

/** Scans as a SARIF 2.1.0 log (OASIS), for GitHub's code scanning: one rule per kind of drift, one result per finding. */
export function renderDriftSarif(reports: readonly ScanReport[], options: SarifOptions): object {
  const findings = reports.flatMap(({ drift }) => drift).slice(0, SARIF_RESULTS_MAX);
  return sarifLog({
    toolName: 'vkit',
    toolVersion: options.vkitVersion,
    rules: DRIFT_KINDS.map((kind) => ({
      id: `drift/${kind}`,
      shortDescription: { text: RULES[kind] },
      defaultConfiguration: { level: 'warning' },
    })),
    results: findings.map((finding) => result(finding, options)),
  });
}

function result(finding: DriftFinding, { registryPath, places }: SarifOptions): object {
  const { kind, datasource, dataset, field } = finding;
  const place = [datasource, dataset, ...(field === undefined ? [] : [field])];
  const note = noteOf(finding);
  const at = places?.get(dataset);
  const change = changeOf(finding);
  const text = [
    `${RULES[kind]}: ${[dataset, field].filter(Boolean).join('.')} in ${datasource}`,
    change === '' ? '' : ` (${change})`,
    note === '' ? '.' : `: ${note}.`,
  ].join('');
  return {
    ruleId: `drift/${kind}`,
    ruleIndex: DRIFT_KINDS.indexOf(kind),
    level: levelOf(finding),
    message: sarifMessage(text),
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(at?.path ?? registryPath) },
          region: { startLine: at?.line ?? 1 },
        },
        logicalLocations: [{ fullyQualifiedName: escapeTerminal(place.join('/')) }],
      },
    ],
    partialFingerprints: {
      'vkitDrift/v1': sarifFingerprint([kind, ...place, finding.from ?? null, finding.to ?? null]),
    },
  };
}

/** New personal data that no policy covers is what somebody has to look at. */
function levelOf({ kind, effect, category = 'internal', sensitivity }: DriftFinding): string {
  if (kind !== 'field_added' && kind !== 'renamed') return 'warning';
  const sensitive = category !== 'internal' || sensitivity === 'high';
  const uncovered = effect === undefined || effect === 'uncovered';
  return sensitive && uncovered ? 'error' : sensitive ? 'warning' : 'note';
}
