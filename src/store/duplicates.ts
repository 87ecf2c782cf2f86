/** What a duplicate means, by the columns of its key. */
const MESSAGES: Readonly<Record<string, string>> = {
  'organisation.only_row': 'There is an organisation already.',
  'users.email': 'There is a user with this e-mail address already.',
  'users.oidc_subject': 'Another account belongs to this person at the identity provider.',
  'bundles.checksum': 'This bundle was uploaded already.',
  'bundles.state': 'Another bundle is active.',
  'datasources.id': 'There is a datasource with this id already.',
  'grants.request_id': 'The request has a grant already.',
  'idempotency.requester_id, idempotency.route, idempotency.key':
    'The idempotency key was used already.',
};

/** What whoever wrote a second row with the same key is told; the columns are `table.column`, joined by `, `. */
export function duplicateMessage(columns: string): string {
  return MESSAGES[columns] ?? 'There is one with this id already.';
}
