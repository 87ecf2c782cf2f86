import type { AuditEvent } from '../../audit/model.js';
import type { GrantClaims } from '../../grants/model.js';
import type { GrantRow, RequestRow } from '../../store/model.js';
import type { ActiveBundle } from './active-bundle.js';
import type { Identity } from './identity.js';
import type { Judgement } from './judge.js';

/** What the records of all fetches by one grant have in common, while nothing about it changes. */
export type FetchParts = Required<Pick<AuditEvent, 'requester' | 'request' | 'policy_evaluation'>>;

/** What lets one identity fetch by one grant, and what is the same in all records of its fetches. */
export interface Permit {
  identity: Identity;
  grant: GrantRow;
  row: RequestRow;
  active: ActiveBundle;
  judgement: Judgement;
  parts: FetchParts;
}

interface KeptPermit {
  permit: Permit;
  /** Of the store, when everything in it was read. */
  revision: number;
  /** Milliseconds since the epoch. */
  from: number;
  until: number;
}

/** Permits that are kept, each with its query resolved: of as many grants as are in use at one time. */
const KEPT_MAX = 1_000;

/**
 * What came of looking at a grant, for as long as looking again would come to the same: the store has not changed, the identity
 * is the same, its grant and bundle have not expired, and nothing in the decision depends on the time. Whoever uses one
 * still has to make sure that the store has its revision when the record of the fetch is written.
 */
export class KeptPermits {
  readonly #kept = new Map<string, KeptPermit>();

  find(identity: Identity, ref: string, now: number): KeptPermit | undefined {
    const kept = this.#kept.get(ref);
    // The authenticator hands out the same object until an account changes.
    if (kept === undefined || kept.permit.identity !== identity) return undefined;
    return kept.from <= now && now < kept.until ? kept : undefined;
  }

  keep(permit: Permit, claims: GrantClaims, at: { revision: number; now: number }): void {
    const { active, judgement, grant } = permit;
    // Approvals count by what the approvers are at this moment, and a window of time is open or not.
    if (judgement.decision.action === 'require_approval' || active.policies.dependsOnTime) return;
    const expires = active.bundle.bundle.expires_at;
    const until = Math.min(
      claims.exp * 1000,
      expires ? Date.parse(expires) : Number.POSITIVE_INFINITY,
    );
    if (this.#kept.size >= KEPT_MAX) this.#kept.clear();
    this.#kept.set(grant.id, { permit, revision: at.revision, from: at.now, until });
  }
}
