import type { LoginAbility } from '../../schema/model.js';
import { abilityOver } from '../login-ability.js';
import { errorNumber } from './error.js';
import { type MysqlSession, textOf } from './session.js';

/** `GRANT a, b (c), d ON object TO …`; a grant of a role has no ON. */
const GRANT = /^GRANT (.+?) ON (?:TABLE |FUNCTION |PROCEDURE |PACKAGE (?:BODY )?)?(.+?) TO /s;
const ROLE = /^GRANT (.+?) TO /s;

const READING = ['SELECT', 'USAGE', 'SHOW VIEW', 'SHOW DATABASES'];
const WRITING = [
  ...['INSERT', 'UPDATE', 'DELETE', 'DELETE HISTORY', 'DELETE VERSIONING ROWS'],
  ...['ALTER', 'DROP', 'TRIGGER', 'INDEX'],
];
/** What a server says of a statement that it does not prepare. */
const UNSUPPORTED_PS = 1295;
const CREATING = ['CREATE', 'CREATE VIEW', 'CREATE ROUTINE', 'CREATE TEMPORARY TABLES'];

/**
 * What the login of a session could do beyond reading, by its own grants. What the roles do that it holds, is not looked at
 * where the server does not list it. `undefined` where the server does not tell: a scan is not refused for that.
 */
export async function readLogin(session: MysqlSession): Promise<LoginAbility[] | undefined> {
  try {
    const rows = await session.query('SHOW GRANTS');
    return abilitiesOf(rows.map(([line]) => textOf(line ?? '')));
  } catch (error) {
    if (errorNumber(error) === UNSUPPORTED_PS) return undefined;
    throw error;
  }
}

/** The lines of SHOW GRANTS, as MySQL and MariaDB write them. */
export function abilitiesOf(lines: readonly string[]): LoginAbility[] {
  const grants = lines.map(readGrant);
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
      'The login has privileges or roles that reading does not need.',
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
    // What bounds its use may stand behind it.
    privileges: line.includes(' WITH GRANT OPTION') ? [...privileges, 'GRANT'] : privileges,
    object,
  };
}
