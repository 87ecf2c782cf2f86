import type { RequiredApproval } from '../../policy/model.js';
import type { ApprovalRow, RequestRow, StoreRepositories } from '../../store/model.js';
import type { Identity } from './identity.js';
import { loadIdentity } from './identity.js';

/** Someone who approved, with the roles they hold at this moment. */
export interface Voice {
  approverId: string;
  roles: readonly string[];
}

/**
 * The approvals of a request that still count: the person is enabled, still holds the roles, is a user, and is neither
 * the requester nor an owner of the requesting agent.
 */
export async function presentVoices(
  store: StoreRepositories,
  rows: readonly ApprovalRow[],
  requester: Identity,
  now: number,
): Promise<Voice[]> {
  const voices: Voice[] = [];
  for (const row of rows) {
    if (row.verdict !== 'approved' || !mayJudge(row.approver_id, requester)) continue;
    const person = await loadIdentity(store, 'user', row.approver_id, now);
    if (person) voices.push({ approverId: person.id, roles: person.roles });
  }
  return voices;
}

/** Nobody approves for themselves or for an agent they own or made. */
export function mayJudge(
  approverId: string,
  requester: Pick<Identity, 'id' | 'ownerIds'>,
): boolean {
  return approverId !== requester.id && !requester.ownerIds.includes(approverId);
}

/** How many people each role still needs: policies that ask the same role are served by the same people. */
export function requiredByRole(approvals: readonly RequiredApproval[]): Map<string, number> {
  const needed = new Map<string, number>();
  for (const { approver_role, approvals: count } of approvals) {
    needed.set(approver_role, Math.max(count, needed.get(approver_role) ?? 0));
  }
  return needed;
}

/**
 * Whether every required approval is given. One person counts once: who holds two roles that are asked for fills a seat
 * of one of them, so seats are matched to people (augmenting paths).
 */
export function approvalsSatisfied(
  approvals: readonly RequiredApproval[],
  voices: readonly Voice[],
): boolean {
  return seatsFilled(approvals, voices).every((seat) => seat.taken);
}

/** The seats in a best matching, for telling people what is still missing. */
export function seatsFilled(
  approvals: readonly RequiredApproval[],
  voices: readonly Voice[],
): { role: string; taken: boolean }[] {
  const seats = [...requiredByRole(approvals)].flatMap(([role, count]) =>
    Array.from({ length: count }, () => role),
  );
  const people = [...new Map(voices.map((voice) => [voice.approverId, voice])).values()];
  const seatOfPerson = new Map<string, number>();
  const seat = (index: number, tried: Set<string>): boolean => {
    const role = seats[index] as string;
    for (const person of people) {
      if (!person.roles.includes(role) || tried.has(person.approverId)) continue;
      tried.add(person.approverId);
      const taken = seatOfPerson.get(person.approverId);
      if (taken === undefined || seat(taken, tried)) {
        seatOfPerson.set(person.approverId, index);
        return true;
      }
    }
    return false;
  };
  for (const index of seats.keys()) seat(index, new Set());
  const filled = new Set(seatOfPerson.values());
  return seats.map((role, index) => ({ role, taken: filled.has(index) }));
}

/** Something a person can see: blanks and zero-width characters are not an answer. */
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;

/** Required metadata keys that the request does not have, or has empty; sorted. */
export function missingMetadata(
  approvals: readonly RequiredApproval[],
  metadata: RequestRow['metadata'],
): string[] {
  const keys = new Set(approvals.flatMap((approval) => approval.metadata_required));
  return [...keys]
    .filter((key) => !Object.hasOwn(metadata, key) || !VISIBLE.test(metadata[key] ?? ''))
    .sort();
}
