import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, it } from 'vitest';
import { ENGINES } from '../../src/engines/index.js';
import { classifyField } from '../../src/schema/classification/index.js';
import type { DriftFinding } from '../../src/schema/drift.js';
import { renderDriftMarkdown } from '../../src/schema/drift-markdown.js';
import { renderDriftText } from '../../src/schema/drift-report.js';
import { addDatasource } from '../../src/services/add-datasource.js';
import { loadPolicies } from '../../src/services/load-policies.js';
import { readPolicyTests } from '../../src/services/read-policy-tests.js';
import { scanDatasource } from '../../src/services/scan-datasource.js';
import { testPolicies } from '../../src/services/test-policies.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

const POLICIES = {
  mask_mails: 'match: {fields: {any: [email]}}\naction: {mask: true, mask_type: hash}',
  dba_reads_mails:
    'match: {fields: {any: [phone]}}\ncontext: {requester_role: dba}\naction: {allow: true}',
  ask_for_salaries: `match: {fields: {any: [salary]}}
context: {requester_role: [analyst, hr]}
action: {require_approval: true, approver_role: hr, reason: Ask}`,
  no_contractors:
    'match: {fields: {any: [email]}}\ncontext: {requester_role: contractor}\naction: {deny: true, reason: No}',
};

async function scanned(sql: string, policies: Readonly<Record<string, string>> = POLICIES) {
  const root = await temporaryFolder();
  const database = new DatabaseSync(join(root, 'shop.db'));
  database.exec(sql);
  database.close();
  await addDatasource({
    cwd: root,
    id: 'shop',
    engine: 'sqlite',
    config: '{"path": "./shop.db"}',
    environment: 'development',
    engines: ENGINES,
  });
  const write = async (file: string, text: string) => {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  };
  for (const [id, text] of Object.entries(policies)) {
    await write(`config/policies/${id}.yaml`, `id: ${id}\ndescription: "${id}"\n${text}\n`);
  }
  const scan = (apply = false) =>
    scanDatasource({
      ...{ cwd: root, id: 'shop', apply, classify: classifyField, engines: ENGINES },
      variables: () => ({}),
      now: () => 0,
    });
  return { root, write, scan, report: (await scan()).report };
}

const rolesOf = (drift: readonly DriftFinding[], name: string) =>
  drift.find(({ field }) => field === name)?.roles;

describe('a field that was found', () => {
  it('is decided on once, however much of it has changed', async () => {
    const { root, scan } = await scanned('CREATE TABLE t (id INTEGER, phone TEXT)');
    await scan(true);
    const database = new DatabaseSync(join(root, 'shop.db'));
    database.exec('DROP TABLE t; CREATE TABLE t (id INTEGER, phone VARCHAR(20) NOT NULL)');
    database.close();
    const { drift } = (await scan()).report;
    expect(drift.map(({ kind, field }) => `${kind} ${field}`)).toEqual([
      'type_changed phone',
      'nullability_changed phone',
    ]);
    for (const { roles } of drift) expect(roles?.allowed).toEqual(['dba']);
  });

  it('says for which roles the policies do what', async () => {
    const { report } = await scanned(
      'create table people (id integer primary key, email text, phone text, salary numeric, passport_no text)',
    );
    expect(rolesOf(report.drift, 'email')).toEqual({
      masked: ['analyst', 'dba', 'hr', '*'],
      denied: ['contractor'],
    });
    expect(rolesOf(report.drift, 'phone')).toEqual({
      allowed: ['dba'],
      uncovered: ['analyst', 'contractor', 'hr', '*'],
    });
    expect(rolesOf(report.drift, 'salary')).toEqual({
      approval: ['analyst', 'hr'],
      uncovered: ['contractor', 'dba', '*'],
    });
    expect(rolesOf(report.drift, 'passport_no')).toEqual({
      uncovered: ['analyst', 'contractor', 'dba', 'hr', '*'],
    });
    const text = renderDriftText(report);
    expect(text).toContain('(masked: analyst, dba, hr, others; denied: contractor)');
    expect(text).toMatch(/passport_no \(text\) \[PII, high\] +NEW - requires policy\n/);
    expect(renderDriftMarkdown([report])).toContain('allowed\\: dba; uncovered\\: analyst');
  });
});

describe('a suggested policy', () => {
  const SECRETS = `create table people (id integer primary key, email text, passport_no text, api_key text);
    create table "odd ""name\`\`\` @everyone" ("iban" text, "date_of_birth" date)`;

  it('covers the sensitive fields that nothing covers, and passes its own test', async () => {
    const { root, report, write, scan } = await scanned(SECRETS);
    expect(report.suggestions.map(({ id }) => id)).toEqual([
      'mask_new_fields_of_odd_name_everyone',
      'mask_new_fields_of_people',
      'deny_secrets_of_people',
    ]);
    await scan(true);
    for (const { policy, test } of report.suggestions) {
      await write(policy.file, policy.text);
      await write(test.file, test.text);
    }
    const policies = await loadPolicies({ root });
    const result = testPolicies(policies, await readPolicyTests({ cwd: root, root, paths: [] }));
    expect(result).toMatchObject({ passed: true, total: 3 });
    expect((await scan()).report.suggestions).toEqual([]);
  });

  it('is not made where something is covered for somebody, or is not sensitive', async () => {
    const { report } = await scanned('create table t (id integer, phone text, salary numeric)');
    expect(report.suggestions).toEqual([]);
  });

  it('takes no name that is taken', async () => {
    const { report } = await scanned('create table t (id integer, iban text)', {
      mask_new_fields_of_t: 'match: {dataset: other}\naction: {allow: true}',
    });
    expect(report.suggestions.map(({ id }) => id)).toEqual(['mask_new_fields_of_t_2']);
  });

  it('is a block of Markdown that no name can leave', async () => {
    const names = ['~~~~', '```', '</details>', '\n~~~~\n# passport', '\u202epassport', '@octocat'];
    const columns = names.map((name) => `"${name} ssn" text`).join(', ');
    const { report } = await scanned(`create table "~~~~\n\n@everyone" (${columns})`);
    expect(report.suggestions).toHaveLength(1);
    const [suggestion] = report.suggestions;
    for (const text of [suggestion?.policy.text, suggestion?.test.text]) {
      expect(text).not.toMatch(/^\s*~~~|\u202e/m);
    }
    const markdown = renderDriftMarkdown([report]);
    const outside = markdown.replace(/^~~~~yaml\n[\s\S]*?^~~~~$/gm, '');
    expect(outside).not.toMatch(/(?<![\\`])@(?:everyone|octocat)|^# passport/m);
  });
});
