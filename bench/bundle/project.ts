import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const AREAS = ['sales', 'hr', 'web', 'ops', 'crm', 'bank', 'care', 'shop', 'mail', 'data'] as const;

/** Columns as they recur from table to table: a name, a type, and how a scan describes it. */
const COLUMNS: readonly (readonly [name: string, type: string, described: string])[] = [
  ['id', 'integer', 'sensitivity: low, category: internal'],
  ['customer_id', 'integer', 'sensitivity: low, category: internal'],
  ['email', 'text', 'sensitivity: medium, category: pii, classification: email, tags: [contact]'],
  ['phone', 'text', 'sensitivity: medium, category: pii, classification: phone, tags: [contact]'],
  ['first_name', 'text', 'sensitivity: medium, category: pii, classification: person_name'],
  ['last_name', 'text', 'sensitivity: medium, category: pii, classification: person_name'],
  ['street', 'text', 'sensitivity: medium, category: pii, classification: postal_address'],
  ['city', 'text', 'sensitivity: low, category: pii, classification: postal_address'],
  ['birth_date', 'date', 'sensitivity: high, category: pii, classification: date_of_birth'],
  ['tax_number', 'text', 'sensitivity: high, category: pii, classification: national_id'],
  ['iban', 'text', 'sensitivity: high, category: financial, classification: bank_account'],
  ['card_number', 'text', 'sensitivity: high, category: pci, classification: payment_card'],
  ['amount', 'numeric', 'sensitivity: medium, category: financial, classification: amount'],
  ['currency', 'text', 'sensitivity: low, category: financial'],
  ['diagnosis', 'text', 'sensitivity: high, category: phi, classification: health'],
  ['ip_address', 'inet', 'sensitivity: medium, category: pii, classification: ip_address'],
  ['payload', 'jsonb', 'sensitivity: high, category: internal'],
  ['status', 'text', 'sensitivity: low, category: internal'],
  ['created_at', 'timestamptz', 'sensitivity: low, category: internal'],
  ['updated_at', 'timestamptz', 'sensitivity: low, category: internal'],
];

const ROLES = ['analyst', 'engineer', 'support', 'finance', 'ai_agent'];
const ACTIONS = [
  'deny: true\n  reason: "Not for this role"',
  'require_approval: true\n  approver_role: data_owner\n  reason: "The owner decides"\n  ttl: "15m"',
  'mask: true\n  mask_type: full',
  'allow: true\n  ttl: "1h"',
];

/** Writes a project of so many policies and tables of twenty columns, as `vkit scan` would have written it. */
export function writeProject(root: string, policies: number, tables: number): void {
  for (const folder of ['config/policies', 'config/datasources']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  writeFileSync(join(root, 'vkit.yaml'), 'org: bench\nrepo: example.com/bench/policies\n');
  writeFileSync(
    join(root, 'config/datasources/production_db.yaml'),
    'id: production_db\nengine: postgres\nenvironment: production\nregion: EU\ncredentials: env\nconfig: {host: db.internal, database: main}\n',
  );
  for (let index = 0; index < policies; index += 1) writePolicy(root, index, tables);
  writeFileSync(join(root, 'config/registry.yaml'), registryText(tables));
  writeFileSync(join(root, 'config/registry.lock.json'), lockText(tables));
}

/** Writes one policy, with another text for another round. */
export function writePolicy(root: string, index: number, tables: number, round = 0): void {
  const number = String(index).padStart(5, '0');
  const category = ['pii', 'financial', 'internal', 'phi', 'pci'][index % 5];
  const text = `id: policy_${number}
description: "Rule ${number} for ${category} data, round ${round}"
priority: ${index % 1_000}

match:
  dataset: ${tableName(index % tables)}
  fields:
    category: ${category}
    sensitivity: [low, medium, high]

context:
  requester_role: [${ROLES[index % ROLES.length]}, ${ROLES[(index + 2) % ROLES.length]}]
  environment: production

action:
  ${ACTIONS[index % ACTIONS.length]}
`;
  writeFileSync(join(root, `config/policies/policy_${number}.yaml`), text);
}

function tableName(index: number): string {
  return `${AREAS[index % AREAS.length]}_table_${String(index).padStart(5, '0')}`;
}

function registryText(tables: number): string {
  const names = Array.from({ length: tables }, (_, index) => tableName(index)).sort();
  const fields = COLUMNS.map(([name, type, rest]) => `    ${name}: {type: ${type}, ${rest}}\n`);
  return names
    .map((name) => `${name}:\n  datasource: production_db\n  fields:\n${fields.join('')}`)
    .join('\n');
}

function lockText(tables: number): string {
  const names = Array.from({ length: tables }, (_, index) => tableName(index)).sort();
  const fields = Object.fromEntries(
    COLUMNS.map(([name, type], index) => [
      name,
      { type, position: index + 1, nullable: index > 0, native: type },
    ]),
  );
  const datasets = names.map((name, index) => [
    name,
    {
      datasource: 'production_db',
      kind: 'table',
      table: { schema: 'public', name, oid: 16_384 + index },
      primary_key: ['id'],
      unique_keys: [],
      foreign_keys: [],
      fields,
    },
  ]);
  return `${JSON.stringify({ format_version: 'v1', datasets: Object.fromEntries(datasets) }, null, 1)}\n`;
}
