import type { LoginAbility } from '../../schema/model.js';
import { abilityOver } from '../login-ability.js';
import type { PostgresSession } from './session.js';

const ROLE = `
  SELECT r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolreplication, r.rolbypassrls
  FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER`;

/** Roles that come with PostgreSQL and are more than reading (postgresql.org/docs/current/predefined-roles.html). */
const PREDEFINED = `
  SELECT r.rolname FROM pg_catalog.pg_roles r
  WHERE r.rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program', 'pg_write_all_data')
    AND pg_catalog.pg_has_role(CURRENT_USER, r.oid, 'USAGE')`;

// Asking each column of ten thousand tables takes as long as all else that a scan reads: few have privileges of their own.
const TABLES = `
  SELECT pg_catalog.format('%I.%I', n.nspname, c.relname),
    pg_catalog.pg_has_role(c.relowner, 'USAGE'),
    pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
      OR (c.oid IN (SELECT a.attrelid FROM pg_catalog.pg_attribute a WHERE a.attacl IS NOT NULL)
        AND pg_catalog.has_any_column_privilege(c.oid, 'INSERT, UPDATE'))
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = ANY ($1::pg_catalog.oid[])`;

const SCHEMAS = `
  SELECT DISTINCT pg_catalog.quote_ident(n.nspname)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = ANY ($1::pg_catalog.oid[]) AND pg_catalog.has_schema_privilege(n.oid, 'CREATE')`;

const FUTURE = `
  SELECT DISTINCT pg_catalog.format('%s by %I',
    COALESCE(pg_catalog.quote_ident(n.nspname), 'any schema'), pg_catalog.pg_get_userbyid(d.defaclrole))
  FROM pg_catalog.pg_default_acl d
  CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) a
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
  WHERE d.defaclobjtype = 'r' AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'USAGE'))
    AND NOT pg_catalog.pg_has_role(d.defaclrole, 'USAGE')`;

/** What the login of a session could do beyond reading the tables of these ids. Of a superuser, only that it is one. */
export async function readLogin(
  session: PostgresSession,
  oids: readonly string[],
): Promise<LoginAbility[]> {
  const [role] = await session.query(ROLE);
  const [superuser, createRole, createDatabase, replication, bypassRls] = (role ?? []).map(
    (cell) => cell === 't',
  );
  if (superuser) {
    const message = 'The login is a superuser: it may do anything.';
    return [{ code: 'superuser', message, objects: [], count: 1 }];
  }
  const attributes = [
    createRole ? 'CREATEROLE' : '',
    createDatabase ? 'CREATEDB' : '',
    replication ? 'REPLICATION' : '',
    bypassRls ? 'BYPASSRLS' : '',
  ].filter((name) => name !== '');
  const first = async (sql: string, values?: readonly (readonly string[])[]) =>
    (await session.query(sql, values)).map(([name]) => name ?? '');
  const predefined = await first(PREDEFINED);
  const tables = await session.query(TABLES, [oids]);
  const named = (place: number) =>
    tables.filter((row) => row[place] === 't').map(([name]) => name ?? '');
  return [
    ...abilityOver('administer', 'The login has attributes of an administrator.', attributes),
    ...abilityOver(
      'files',
      'The login has roles that reach files or programs of the machine, or write everywhere.',
      predefined,
    ),
    ...abilityOver('own', 'The login owns what it reads, and may change or drop it.', named(1)),
    ...abilityOver('write', 'The login may write to what it reads.', named(2)),
    ...abilityOver('create', 'The login may make tables of its own.', await first(SCHEMAS, [oids])),
    ...abilityOver(
      'future_tables',
      'Default privileges give the login tables that are not made yet.',
      await first(FUTURE),
    ),
  ];
}
