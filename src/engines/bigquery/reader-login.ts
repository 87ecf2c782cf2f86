import { VkitError } from '../../errors/index.js';
import type { TableKind } from '../../schema/model.js';
import { type ReaderLogin, type ReaderLoginRequest, schemasOf } from '../reader-login.js';
import { bigqueryDialect } from './dialect.js';

const ADDRESS = /^[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?@[a-z0-9-]+(?:\.[a-z0-9-]+)+$/;

/** Kinds of resources as GRANT names them (cloud.google.com/bigquery/docs/reference/standard-sql/data-control-language). */
const RESOURCE_KINDS: Readonly<Record<TableKind, string>> = {
  table: 'TABLE',
  view: 'VIEW',
  materialized_view: 'VIEW',
  foreign_table: 'EXTERNAL TABLE',
};

/** Roles of a service account with which it may list the datasets, read the tables and run queries. */
export function bigqueryReaderLogin({ login, config, tables }: ReaderLoginRequest): ReaderLogin {
  const project = String(config.project);
  const address = checkedAddress(login ?? `vkit-reader@${project}.iam.gserviceaccount.com`);
  const member = `"serviceAccount:${address}"`;
  const quote = bigqueryDialect.quoteIdentifier;
  const nameOf = (...parts: string[]) => [project, ...parts].map(quote).join('.');
  const dataset = String(config.dataset);
  const reads =
    tables === 'default_schema'
      ? [`GRANT \`roles/bigquery.dataViewer\` ON SCHEMA ${nameOf(dataset)} TO ${member};`]
      : [
          ...schemasOf(tables).map(
            (schema) =>
              `GRANT \`roles/bigquery.metadataViewer\` ON SCHEMA ${nameOf(schema)} TO ${member};`,
          ),
          ...tables.map(({ table, kind }) => {
            const name = nameOf(table.schema, table.name);
            return `GRANT \`roles/bigquery.dataViewer\` ON ${RESOURCE_KINDS[kind]} ${name} TO ${member};`;
          }),
        ];
  const [account = ''] = address.split('@');
  return {
    login: address,
    statements: reads,
    notes: [
      `Before: gcloud iam service-accounts create ${account} --project=${project}`,
      `SQL has no grant for running queries: gcloud projects add-iam-policy-binding ${project} --member=serviceAccount:${address} --role=roles/bigquery.jobUser`,
      'Written from the documentation of BigQuery; these statements were never run on BigQuery.',
    ],
  };
}

function checkedAddress(address: string): string {
  if (ADDRESS.test(address)) return address;
  throw new VkitError(
    'invalid_input',
    'The name of the login is no address of a service account.',
    {
      hint: 'Name one: --login vkit-reader@PROJECT.iam.gserviceaccount.com',
    },
  );
}
