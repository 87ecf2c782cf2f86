import { writeSync } from 'node:fs';
import { VkitError } from '../../src/errors/index.js';
import type { RequestRow, StoreRepositories } from '../../src/store/model.js';
import { openStore } from '../../src/store/open-store.js';
import { randomId } from '../../src/util/random-id.js';
import { SIGNER } from '../audit/chain-fixture.js';

/**
 * A process that serves a data directory until it is killed: prints `ready`, then `<request id> <audit id>` for every
 * transaction that has been acknowledged, from as many writers as the second argument says. Prints the error's code when
 * it cannot open the store.
 */
const [dataDir = '', writers = '0'] = process.argv.slice(2);

try {
  const store = await openStore({ dataDir, signer: SIGNER, now: Date.now });
  say('ready');
  // Keeps the process alive where there are no writers.
  setInterval(() => {}, 1_000);
  const write = async (): Promise<never> => {
    for (;;) {
      const id = randomId('req');
      const record = await store.transaction((tx) => writeRequest(tx, id));
      say(`${id} ${record}`);
    }
  };
  await Promise.all(Array.from({ length: Number(writers) }, write));
} catch (error) {
  say(error instanceof VkitError ? error.code : String(error));
  process.exitCode = 1;
}

async function writeRequest(tx: StoreRepositories, id: string): Promise<string> {
  const at = new Date().toISOString();
  await tx.requests.insert(requestRow(id, at));
  await tx.requests.transition(id, 'pending', { state: 'approved', decided_at: at });
  await tx.grants.insert({
    id: id.replace('req', 'gr'),
    request_id: id,
    requester_id: 'usr_1',
    datasource: 'shop',
    jwt: 'x'.repeat(800),
    bundle_checksum: 'b'.repeat(64),
    epoch: 1,
    created_at: at,
    expires_at: at,
    revoked_at: null,
    revoke_reason: null,
  });
  const event = { event: 'grant.issued', timestamp: at, request: { request_id: id } };
  return (await tx.audit.append(event)).audit_id;
}

function requestRow(id: string, at: string): RequestRow {
  return {
    id,
    requester_kind: 'user',
    requester_id: 'usr_1',
    aql: { source_table: 'customers', columns: ['id'] } as RequestRow['aql'],
    aql_hash: 'a'.repeat(64),
    datasource: 'shop',
    purpose: null,
    reason: null,
    metadata: {},
    narrowing: {},
    ttl_seconds: null,
    state: 'pending',
    denial_type: null,
    state_reason: null,
    decision: null,
    masked_fields: [],
    created_at: at,
    expires_at: at,
    decided_at: null,
  };
}

/** Synchronous, so that nothing acknowledged waits in a buffer when the process is killed. */
function say(line: string): void {
  writeSync(1, `${line}\n`);
}
