import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import type { Credentials } from '../../src/engines/contract.js';
import { ENGINES } from '../../src/engines/index.js';
import type { ScannedTable } from '../../src/schema/model.js';
import { enginesUnderTest } from '../conformance/engines.js';

const PASSWORD = 'a-password-of-the-test-1';
const nameless = ({ oid: _oid, ...table }: ScannedTable['table']) => table;

/** How the administrator of the test removes a login and everything it was granted. */
const REMOVE = {
  postgres: (login: string) => `drop owned by "${login}"; drop role "${login}"`,
  mysql: (login: string) => `drop user '${login}'@'%'`,
};

type Asked = { run(sql: string): Promise<unknown>; end(): Promise<unknown> };
type Settings = Readonly<Record<string, unknown>>;

/** A connection of the login itself: vkit's own would be read-only whatever the login may do. */
const CLIENTS = {
  async postgres(config: Settings, { username: user, password }: Credentials): Promise<Asked> {
    const client = new pg.Client({ ...config, user, password } as pg.ClientConfig);
    await client.connect();
    await client.query('set default_transaction_read_only = off');
    return { run: (sql) => client.query(sql), end: () => client.end() };
  },
  async mysql(config: Settings, { username: user, password }: Credentials): Promise<Asked> {
    const { host, port, database } = config as mysql.ConnectionOptions;
    const given = { host, port, database, user, password } as mysql.ConnectionOptions;
    const client = await mysql.createConnection(given);
    return { run: (sql) => client.query(sql), end: () => client.end() };
  },
};

for (const name of ['postgres', 'mysql'] as const) {
  const under = enginesUnderTest[name];
  const engine = ENGINES[name];

  describe.skipIf(under.skipped !== null)(`the login that ${name} is given`, () => {
    it.each([
      ['for the tables of the registry', true],
      ['for the default schema, before the first scan', false],
    ])('%s scans and reads them, and can do nothing else', async (_title, isScanned) => {
      await under.withGround(async ({ target, schema, execute }) => {
        const { declared } = under.keyText;
        await execute(
          `create table people (id integer primary key, name ${declared});
           create table orders (id integer primary key, person integer references people (id));
           create view names as select name from people;
           insert into people values (1, 'Ana')`,
        );
        const config = { ...target.config, ...(name === 'postgres' ? { schema } : {}) };
        const scan = async (credentials: { username?: string; password?: string }) => {
          const connector = await engine.connect({ ...target, config, credentials });
          const scanned = await connector.introspect({ include: [`${schema}.*`] });
          await connector.close();
          return scanned;
        };
        const all = await scan(target.credentials);
        expect(all.tables.map(({ table }) => table.name)).toEqual(['names', 'orders', 'people']);
        const tables = isScanned ? all.tables : ('default_schema' as const);
        const wanted = `vkit_${randomBytes(5).toString('hex')}`;
        const { login, statements } = engine.readerLogin({ login: wanted, config, tables });
        const script = statements.join('\n').replaceAll('<password>', PASSWORD);
        try {
          await execute(script);
          await execute('create table later (id integer primary key)');
          const credentials = { username: login, password: PASSWORD };
          const seen = await scan(credentials);
          const granted = seen.tables.filter(({ table }) => table.name !== 'later');
          expect(granted.map(shape)).toEqual(all.tables.map(shape));
          // Before the first scan MySQL can name the tables by their database alone.
          const codes = isScanned || name === 'postgres' ? [] : ['future_tables'];
          expect(seen.login?.map(({ code }) => code)).toEqual(codes);
          expect(all.login?.map(({ code }) => code)).toEqual(['superuser']);

          const asked = await CLIENTS[name](target.config, credentials);
          const of = (table: string) => engine.dialect.table({ schema, name: table });
          await asked.run(`select count(*) from ${of('people')}`);
          await asked.run(`select count(*) from ${of('names')}`);
          const refused = [
            `insert into ${of('people')} (id) values (2)`,
            `create table ${of('mine')} (id integer)`,
            `drop table ${of('orders')}`,
            ...(isScanned || name === 'postgres' ? [`select count(*) from ${of('later')}`] : []),
          ];
          for (const sql of refused) {
            await expect(asked.run(sql), sql).rejects.toThrow(/denied|must be owner/);
          }
          await asked.end();
        } finally {
          await execute(REMOVE[name](login));
        }
      });
    });
  });
}

/** What a scan compares; the owner of a view may be known to some logins alone. */
function shape({ table, ...rest }: ScannedTable) {
  return { ...rest, table: nameless(table) };
}

describe('the statements', () => {
  const table = (name: string, kind: ScannedTable['kind'] = 'table') => ({
    table: { schema: 'sales', name },
    kind,
  });

  it('quote what comes from a database', () => {
    const name = `a"b'c\`d`;
    const tables = [table(name)];
    const of = (engine: keyof typeof ENGINES, config: object) =>
      ENGINES[engine].readerLogin({ config: { ...config }, tables }).statements.join('\n');
    expect(of('postgres', { database: 'crm' })).toContain(`ON "sales"."a""b'c\`d" TO`);
    expect(of('mysql', { database: 'crm' })).toContain(`ON \`sales\`.\`a"b'c\`\`d\` TO`);
    expect(of('snowflake', { database: 'CRM' })).toContain(`"CRM"."sales"."a""b'c\`d" TO`);
  });

  it('escape the name of a MySQL database where it is a pattern', () => {
    const config = { database: 'my_shop%' };
    const { statements } = ENGINES.mysql.readerLogin({ config, tables: 'default_schema' });
    expect(statements[1]).toBe("GRANT SELECT, SHOW VIEW ON `my\\_shop\\%`.* TO 'vkit_reader'@'%';");
  });

  it('of Snowflake give a role what the tables need, and a service user the role', () => {
    const { statements, notes } = ENGINES.snowflake.readerLogin({
      config: { account: 'a-b', database: 'CRM', warehouse: 'WH' },
      tables: [table('T'), table('V', 'view')],
    });
    expect(statements).toEqual([
      'CREATE ROLE "VKIT_READER";',
      'GRANT USAGE ON WAREHOUSE "WH" TO ROLE "VKIT_READER";',
      'GRANT USAGE ON DATABASE "CRM" TO ROLE "VKIT_READER";',
      'GRANT USAGE ON SCHEMA "CRM"."sales" TO ROLE "VKIT_READER";',
      'GRANT SELECT ON TABLE "CRM"."sales"."T" TO ROLE "VKIT_READER";',
      'GRANT SELECT ON VIEW "CRM"."sales"."V" TO ROLE "VKIT_READER";',
      `CREATE USER "VKIT_READER" TYPE = SERVICE DEFAULT_ROLE = "VKIT_READER" DEFAULT_SECONDARY_ROLES = () DEFAULT_WAREHOUSE = "WH" RSA_PUBLIC_KEY = '<public key>';`,
      'GRANT ROLE "VKIT_READER" TO USER "VKIT_READER";',
    ]);
    expect(notes.join(' ')).toContain('never run on Snowflake');
  });

  it('of BigQuery give a service account the two roles that have a grant, and name the third', () => {
    const { login, statements, notes } = ENGINES.bigquery.readerLogin({
      config: { project: 'acme-data', dataset: 'sales' },
      tables: [table('orders')],
    });
    expect(login).toBe('vkit-reader@acme-data.iam.gserviceaccount.com');
    expect(statements).toEqual([
      `GRANT \`roles/bigquery.metadataViewer\` ON SCHEMA \`acme-data\`.\`sales\` TO "serviceAccount:${login}";`,
      `GRANT \`roles/bigquery.dataViewer\` ON TABLE \`acme-data\`.\`sales\`.\`orders\` TO "serviceAccount:${login}";`,
    ]);
    expect(notes.join(' ')).toContain('roles/bigquery.jobUser');
  });

  it.each(['postgres', 'mysql', 'snowflake', 'bigquery'] as const)(
    'of %s take no name that could be more than one',
    (engine) => {
      for (const login of ["x'; drop role y; --", 'a b', '', '<password>', 'é'.repeat(300)]) {
        const request = { login, config: { database: 'd', project: 'p', dataset: 'd' } };
        expect(() => ENGINES[engine].readerLogin({ ...request, tables: 'default_schema' })).toThrow(
          expect.objectContaining({ code: 'invalid_input' }),
        );
      }
    },
  );
});
