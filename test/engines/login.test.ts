import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ENGINES } from '../../src/engines/index.js';
import { abilitiesOf } from '../../src/engines/mysql/login.js';
import { enginesUnderTest } from '../conformance/engines.js';

const PASSWORD = 'a-password-of-the-test-1';

interface Case {
  /** Statements that give the login what it should not have, in a schema with the tables a and b. */
  give: string;
  takeAway: string;
  expected: Record<string, string[]>;
}

const CASES: Record<'postgres' | 'mysql', (login: string, schema: string) => Case> = {
  postgres: (login, schema) => ({
    give: `create role "${login}" login password '${PASSWORD}' createdb bypassrls;
      grant pg_write_server_files to "${login}";
      grant usage, create on schema "${schema}" to "${login}";
      grant select on a to "${login}";
      grant update (id) on a to "${login}";
      alter table b owner to "${login}";
      alter default privileges in schema "${schema}" grant select on tables to "${login}"`,
    takeAway: `drop owned by "${login}" cascade; drop role "${login}"`,
    expected: {
      administer: ['CREATEDB', 'BYPASSRLS'].sort(),
      files: ['pg_write_server_files'],
      own: [`${schema}.b`],
      write: [`${schema}.a`, `${schema}.b`],
      create: [schema],
      future_tables: [expect.stringContaining(`${schema} by `) as unknown as string],
    },
  }),
  mysql: (login, schema) => ({
    give: `create user '${login}'@'%' identified by '${PASSWORD}';
      grant select, insert, create on ${schema}.* to '${login}'@'%';
      grant update (id) on ${schema}.a to '${login}'@'%';
      grant file, process on *.* to '${login}'@'%'`,
    takeAway: `drop user '${login}'@'%'`,
    expected: {
      administer: ['*.*'],
      files: ['*.*'],
      write: [
        expect.stringMatching(/\.["`]a/) as unknown as string,
        expect.stringContaining('.*') as unknown as string,
      ],
      create: [expect.stringContaining(schema) as unknown as string],
      future_tables: [expect.stringContaining(schema) as unknown as string],
    },
  }),
};

for (const name of ['postgres', 'mysql'] as const) {
  const under = enginesUnderTest[name];
  describe.skipIf(under.skipped !== null)(`a login of ${name} that could do more than read`, () => {
    it('is told all of it by a scan', async () => {
      await under.withGround(async ({ target, schema, execute }) => {
        await execute('create table a (id integer primary key); create table b (id integer)');
        const login = `vkit_${randomBytes(5).toString('hex')}`;
        const { give, takeAway, expected } = CASES[name](login, schema);
        try {
          await execute(give);
          const credentials = { username: login, password: PASSWORD };
          const connector = await ENGINES[name].connect({ ...target, credentials });
          const scanned = await connector.introspect({ include: [`${schema}.*`] });
          await connector.close();
          const told = Object.fromEntries(
            (scanned.login ?? []).map(({ code, objects }) => [code, objects]),
          );
          expect(told).toEqual(expected);
        } finally {
          await execute(takeAway);
        }
      });
    });
  });
}

describe('the grants of MySQL and MariaDB', () => {
  const codesOf = (...lines: string[]) => abilitiesOf(lines).map(({ code }) => code);
  const to = "TO 'vkit_reader'@'%'";

  it.each([
    [
      'reading alone',
      [`GRANT USAGE ON *.* ${to}`, `GRANT SELECT, SHOW VIEW ON "crm"."a" ${to}`],
      [],
    ],
    [
      'a column that may be changed',
      [`GRANT SELECT, UPDATE (id, name) ON \`crm\`.\`a\` ${to}`],
      ['write'],
    ],
    [
      'history that may be deleted',
      [`GRANT SELECT, DELETE HISTORY ON \`crm\`.\`a\` ${to}`],
      ['write'],
    ],
    ['a whole database', [`GRANT SELECT ON \`crm\`.* ${to}`], ['future_tables']],
    ['everything', [`GRANT ALL PRIVILEGES ON *.* ${to} WITH GRANT OPTION`], ['superuser']],
    ['all of one table', [`GRANT ALL PRIVILEGES ON \`crm\`.\`a\` ${to}`], ['write', 'create']],
    [
      'handing on',
      [`GRANT SELECT ON \`c\`.\`a\` ${to} WITH GRANT OPTION MAX_USER_CONNECTIONS 5`],
      ['administer'],
    ],
    ['a privilege of MySQL 8', [`GRANT SYSTEM_VARIABLES_ADMIN ON *.* ${to}`], ['administer']],
    ['a role', [`GRANT \`writer\`@\`%\` ${to}`], ['administer']],
    [
      'a line that is no grant',
      [`SET DEFAULT ROLE "writer" FOR 'vkit_reader'@'%'`],
      ['administer'],
    ],
    [
      'a file',
      [
        `GRANT FILE ON *.* ${to} IDENTIFIED BY PASSWORD '*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9'`,
      ],
      ['files'],
    ],
  ])('say of %s', (_name, lines, codes) => {
    expect(codesOf(...lines)).toEqual(codes);
    expect(JSON.stringify(abilitiesOf(lines))).not.toContain('6BB4837');
  });
});
