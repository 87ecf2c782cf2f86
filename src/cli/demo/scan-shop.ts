import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_PATHS, REGISTRY_FILE } from '../../project/paths.js';
import { writeProjectFile } from '../../project/write-project.js';
import { scanDatasource } from '../../services/scan-datasource.js';
import { DATASOURCE, type Shop } from './open-shop.js';
import type { Page } from './page.js';
import { told } from './told.js';

export interface ScannedField {
  name: string;
  type: string;
  classification: string;
  category: string;
  sensitivity: string;
}

export interface ScanFacts {
  /** Product and version: `postgres 15.4`. */
  server: string;
  tables: number;
  fields: number;
  datasets: readonly { name: string; fields: readonly ScannedField[] }[];
  /** What a person decided otherwise than the scan proposed, in config/registry.yaml. */
  review: readonly { field: string; from: string; to: string }[];
  /** Findings of a second scan: what a person decided is no drift. */
  drift_after_review: number;
}

/** The person's part: two fields of `customers` that the shop sees differently than a classifier can know. */
const REVIEW = [
  {
    field: 'city',
    from: 'sensitivity: medium, category: pii',
    to: 'sensitivity: low, category: internal',
  },
  {
    field: 'email',
    from: 'sensitivity: medium, category: pii',
    to: 'sensitivity: medium, category: contact',
  },
] as const;

/** Scans the shop, writes the proposed registry, changes what a person would, and scans again. */
export async function scanShop({ root, context }: Shop): Promise<ScanFacts> {
  const scan = (apply: boolean) =>
    scanDatasource({
      ...context,
      cwd: root,
      id: DATASOURCE,
      apply,
      now: () => performance.now(),
    });
  const { report } = await scan(true);
  const datasets = new Map<string, ScannedField[]>();
  for (const { dataset, field, type = '', classification = 'generic', ...tags } of report.drift) {
    if (field === undefined) continue;
    const { category = 'internal', sensitivity = 'high' } = tags;
    const fields = datasets.get(dataset) ?? [];
    fields.push({ name: field, type, classification, category, sensitivity });
    datasets.set(dataset, fields);
  }
  await review(root);
  const again = await scan(true);
  told(again.report.drift.length === 0, "a second scan leaves a person's decisions alone");
  return {
    server: report.server,
    tables: report.tables,
    fields: report.fields,
    datasets: [...datasets].map(([name, fields]) => ({ name, fields })),
    review: REVIEW.map(({ field, from, to }) => ({ field: `customers.${field}`, from, to })),
    drift_after_review: again.report.drift.length,
  };
}

async function review(root: string): Promise<void> {
  const path = `${PROJECT_PATHS.registryFolder}/${REGISTRY_FILE}`;
  let text = await readFile(join(root, path), 'utf8');
  for (const { field, from, to } of REVIEW) {
    const before = text;
    text = text
      .split('\n')
      .map((line) => (line.startsWith(`    ${field}: {`) ? line.replace(from, to) : line))
      .join('\n');
    told(text !== before, `the scan proposes "${from}" for customers.${field}`);
  }
  await writeProjectFile(root, path, text);
}

export function tellScan(facts: ScanFacts, page: Page): void {
  page.command(`vkit scan ${DATASOURCE} --apply`);
  page.say(
    `vkit reads the catalogue (${facts.server}), never a row, and proposes how sensitive each of the ${facts.fields} fields is:`,
  );
  page.blank();
  const rows = facts.datasets.map(({ name, fields }) => {
    const personal = fields.filter(({ category }) => category === 'pii');
    const money = fields.filter(({ category }) => category === 'financial' || category === 'pci');
    const high = fields.filter(({ sensitivity }) => sensitivity === 'high');
    return {
      name,
      fields: fields.length,
      personal: personal.length,
      money: money.length,
      high: high.map((field) => field.name).join(', '),
    };
  });
  page.table(rows, [
    { heading: 'dataset', value: ({ name }) => name },
    { heading: 'fields', value: ({ fields }) => fields, align: 'right' },
    { heading: 'personal (PII)', value: ({ personal }) => personal || null, align: 'right' },
    { heading: 'money, cards', value: ({ money }) => money || null, align: 'right' },
    { heading: 'highly sensitive', value: ({ high }) => high },
  ]);
  page.blank();
  page.say(
    'The proposal is a file, made to be reviewed. A person changes two lines of it: a city alone names nobody here, and e-mail addresses become "contact" data, with a rule of their own.',
  );
  page.blank();
  page.block(
    facts.review.flatMap(({ field, from, to }) => [
      page.colours.red(`- ${field}  ${from}`),
      page.colours.green(`+ ${field}  ${to}`),
    ]),
  );
}
