import type { LoginAbility } from '../../schema/model.js';
import { abilityOver } from '../login-ability.js';
import { type MysqlSession, textOf } from './session.js';

/** `GRANT a, b (c), d ON object TO …`; a grant of a role has no ON. */
const GRANT = /^GRANT (.+?) ON (?:TABLE |FUNCTION |PROCEDURE |PACKAGE (?:BODY )?)?(.+?) TO /s;
const ROLE = /^GRANT (.+?) TO /s;

const READING = ['SELECT', 'USAGE', 'SHOW VIEW', 'SHOW DATABASES', 'DELETE HISTORY'];
const WRITING = ['INSERT', 'UPDATE', 'DELETE', 'ALTER', 'DROP', 'TRIGGER', 'INDEX'];
const CREATING = ['CREATE', 'CREATE VIEW', 'CREATE ROUTINE', 'CREATE TEMPORARY TABLES'];

/**
 * What the login of a session could do beyond reading, by its own grants. What the roles do that it holds, is not looked at
 * where the server does not list it.
 */
export async function readLogin(session: MysqlSession): Promise<LoginAbility[]> {
  const rows = await session.query('SHOW GRANTS');
  const grants = rows.map(([line]) => textOf(line ?? '')).map(readGrant);
  const over = (wanted: (privilege: string, object: string) => boolean): string[] => [
    ...new Set(
      grants
        .filter(({ privileges, object }) => privileges.some((one) => wanted(one, object)))
        .map(({ object }) => object),
    ),
  ];
  const isAll = (privilege: string): boolean => privilege.startsWith('ALL');
  const everything = over((privilege, object) => isAll(privilege) && object === '*.*');
  if (everything.length > 0) {
    const message = 'The login has all privileges on everything.';
    return [{ code: 'superuser', message, objects: [], count: 1 }];
  }
  const isKnown = (privilege: string): boolean =>
    isAll(privilege) || [...READING, ...WRITING, ...CREATING, 'FILE'].includes(privilege);
  return [
    ...abilityOver(
      'administer',
      'The login has privileges of an administrator, or hands its own on.',
      over((privilege) => !isKnown(privilege)),
    ),
    ...abilityOver(
      'files',
      "The login may read and write files of the database's machine.",
      over((privilege) => privilege === 'FILE'),
    ),
    ...abilityOver(
      'write',
      'The login may write to what it reads.',
      over((privilege) => isAll(privilege) || WRITING.includes(privilege)),
    ),
    ...abilityOver(
      'create',
      'The login may make tables of its own.',
      over((privilege) => isAll(privilege) || CREATING.includes(privilege)),
    ),
    ...abilityOver(
      'future_tables',
      'The login reads whole databases, tables that are not made yet among them.',
      over((privilege, object) => privilege === 'SELECT' && object.endsWith('.*')),
    ),
  ];
}

/** Privileges in capitals without the columns they are for. A role is none that is known. */
function readGrant(line: string): { privileges: string[]; object: string } {
  const [, list, object] = GRANT.exec(line) ?? [];
  if (list === undefined || object === undefined) {
    return { privileges: ['ROLE'], object: ROLE.exec(line)?.[1] ?? 'a role' };
  }
  const privileges = list
    .replace(/\([^)]*\)/g, '')
    .split(',')
    .map((privilege) => privilege.trim().toUpperCase());
  return {
    privileges: line.endsWith('WITH GRANT OPTION') ? [...privileges, 'GRANT'] : privileges,
    object,
  };
}
