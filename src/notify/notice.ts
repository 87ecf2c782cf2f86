/** What people are told of. */
export const NOTICE_EVENTS = [
  'approval.requested',
  'approval.approved',
  'approval.denied',
  'approval.expired',
  'grant.revoked',
] as const;
export type NoticeEvent = (typeof NOTICE_EVENTS)[number];

/**
 * What a message tells, before it is written for a channel. Nothing in it is a value of a row, a filter or a literal of a
 * query, and nothing was typed for this request: reasons, notes and metadata stay on the server. Names are those of the
 * registry, of accounts and of roles.
 */
export interface Notice {
  event: NoticeEvent;
  /** RFC 3339. */
  at: string;
  org: string;
  request_id: string;
  grant_id?: string;
  /** An address, or an agent's name. */
  requester: string;
  requester_kind: 'user' | 'agent';
  dataset: string;
  datasource: string;
  /** Where it is one plain word. */
  purpose?: string;
  policy_id?: string;
  approver_roles: readonly string[];
  /** Who approved, denied or revoked. */
  by?: string;
  /** When the request, or the grant, ends. */
  expires_at?: string;
}

const TITLES: Readonly<Record<NoticeEvent, string>> = {
  'approval.requested': 'Approval requested',
  'approval.approved': 'Request approved',
  'approval.denied': 'Request denied',
  'approval.expired': 'Request expired',
  'grant.revoked': 'Grant revoked',
};

/** Of one fact; a name that is longer was made to be. */
const CHARACTERS_MAX = 200;

/** What a notice says, one fact a line, in no channel's syntax yet. Ids and the command are made of the server's own ids. */
export function describeNotice(notice: Notice) {
  const { event, request_id: id, grant_id: grant, approver_roles: roles } = notice;
  const facts: (readonly [string, string | undefined])[] = [
    ['Request', id],
    ['Grant', grant],
    [notice.requester_kind === 'agent' ? 'Agent' : 'Requester', notice.requester],
    ['Dataset', `${notice.dataset} (${notice.datasource})`],
    ['Purpose', notice.purpose],
    ['Policy', notice.policy_id],
    ['Approvers', roles.length === 0 ? undefined : roles.join(', ')],
    ['By', notice.by],
    ['Organisation', notice.org],
    [event === 'approval.requested' ? 'Waits until' : 'Until', notice.expires_at],
  ];
  return {
    title: TITLES[event],
    facts: facts.flatMap(([name, value]) =>
      value === undefined ? [] : [[name, oneLine(value)] as const],
    ),
    commands:
      event === 'approval.requested'
        ? [`vkit approval approve ${id}`, `vkit approval deny ${id} --reason '…'`]
        : grant === undefined
          ? [`vkit requests show ${id}`]
          : [`vkit grant show ${grant}`],
  };
}

/** Without controls, marks that turn or hide text, and line ends; cut to a bound. */
function oneLine(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029\p{Surrogate}]/gu, ' ');
  const characters = [...plain];
  return characters.length <= CHARACTERS_MAX
    ? plain
    : `${characters.slice(0, CHARACTERS_MAX - 1).join('')}…`;
}
