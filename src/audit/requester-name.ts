import type { AuditRecord } from './model.js';

/** Whose call a record is of: the e-mail address, or the id of who has none (an agent, the server itself). */
export function requesterId({ requester }: Pick<AuditRecord, 'requester'>): string | null {
  return requester?.email ?? requester?.user_id ?? null;
}

/** The same for people. An agent's name never stands alone: it can be anything, somebody's e-mail address too. */
export function namedRequester(id: string | null, name: string | null | undefined): string | null {
  return id === null || name === null || name === undefined ? id : `${name} (${id})`;
}
