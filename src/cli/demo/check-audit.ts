import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { App } from '../../app.js';
import type { AuditRecord } from '../../audit/model.js';
import { recordLine } from '../../audit/record-hash.js';
import { type ChainVerdict, verifyExport } from '../../audit/verify-chain.js';
import { readAudit } from '../../services/control/read-audit.js';
import { escapeTerminal } from '../../util/escape.js';
import { makeFolder } from '../../util/make-folder.js';
import { wrap } from '../../util/wrap.js';
import type { Page } from './page.js';
import { newCall, type People } from './people.js';
import { told } from './told.js';

/** More records than the story makes. */
const RECORDS_MAX = 1_000;

/** An exported log, and the copy that was changed; in a folder that Git ignores. */
const EXPORT = 'dist/audit.jsonl';
const COPY = 'dist/audit-changed.jsonl';
/** The server's public keys, as it publishes them. */
const KEYS = 'dist/audit-keys.json';

export interface AuditFacts {
  records: number;
  verified: boolean;
  /** How often what happened. */
  events: Readonly<Record<string, number>>;
  /** A line of the story as its record tells it. */
  example: { seq: number; event: string; requester: string; rows_returned: number };
  tampered: {
    /** Where in the file, from 0, and what stood there before and after. */
    byte: number;
    from: string;
    to: string;
    seq: number;
    event: string;
    verified: boolean;
    problem: { seq: number; kind: string; message: string } | null;
  };
}

/** Exports and verifies the log, changes one byte of a copy, and verifies that. */
export async function checkAudit(app: App, { admin }: People, root: string): Promise<AuditFacts> {
  const query = { order: 'asc', limit: RECORDS_MAX } as const;
  const { records } = await readAudit(app.context, admin.identity, query, newCall());
  const text = records.map((record) => `${recordLine(record)}\n`).join('');
  const file = join(root, EXPORT);
  await makeFolder(dirname(file));
  await writeFile(file, text);
  await writeFile(join(root, KEYS), `${JSON.stringify(app.jwks, null, 2)}\n`);
  const whole = await verify(app, file);
  told(whole.ok && whole.count === records.length, 'the audit log verifies');

  const executed = records.find(
    ({ event, requester }) => event === 'query.executed' && requester?.kind === 'agent',
  );
  told(executed !== undefined, 'the audit log tells that rows left to the agent');
  const change = oneByte(await readFile(file), records, executed);
  const copy = join(root, COPY);
  await writeFile(copy, change.bytes);
  const broken = await verify(app, copy);
  told(!broken.ok, 'a changed byte is found');
  told(broken.problem?.seq === executed.seq, 'the record that was changed is named');
  told(broken.problem?.kind === 'changed', 'it is named as changed');
  const { seq, kind, message } = broken.problem;
  return {
    records: records.length,
    verified: whole.ok,
    events: countEvents(records),
    example: exampleOf(executed),
    tampered: {
      ...{ byte: change.offset, from: change.from, to: change.to },
      ...{ seq: executed.seq, event: executed.event, verified: broken.ok },
      problem: { seq, kind, message },
    },
  };
}

async function verify(app: App, file: string): Promise<ChainVerdict> {
  const { kid, publicKey } = app.context.keys.audit;
  return verifyExport([await readFile(file)], { keys: new Map([[kid, publicKey]]) });
}

/** Makes the record tell of fewer rows: one digit of `"rows_returned":3`. */
function oneByte(file: Buffer, records: readonly AuditRecord[], target: AuditRecord) {
  const before = records.slice(0, records.indexOf(target));
  const start = before.reduce((sum, record) => sum + Buffer.byteLength(recordLine(record)) + 1, 0);
  const name = '"rows_returned":';
  const offset = file.indexOf(name, start) + name.length;
  const from = String.fromCharCode(file[offset] ?? 0);
  told(/[1-9]/.test(from), 'the record tells how many rows left');
  const to = '0';
  const bytes = Buffer.from(file);
  bytes.write(to, offset, 'ascii');
  return { bytes, offset, from, to };
}

function countEvents(records: readonly AuditRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { event } of records) counts[event] = (counts[event] ?? 0) + 1;
  return counts;
}

function exampleOf({ seq, event, requester, execution }: AuditRecord): AuditFacts['example'] {
  return {
    seq,
    event,
    requester: requester?.email ?? requester?.user_id ?? '',
    rows_returned: execution?.rows_returned ?? 0,
  };
}

export function tellAudit(facts: AuditFacts, page: Page): void {
  const { colours } = page;
  const { tampered } = facts;
  page.say(
    'Each decision, approval and answer left a signed record before it took effect; each record holds the hash of the one before.',
  );
  page.blank();
  page.command(`vkit audit verify ${EXPORT} --key ${KEYS}`);
  page.block([`${colours.green('✓')} ${facts.records} records, all as they were written`]);
  page.blank();
  page.say(
    `Now somebody changes one byte of a copy. Record ${tampered.seq} said that ${tampered.from} rows went to the agent; it says ${tampered.to} instead.`,
  );
  page.blank();
  page.command(`vkit audit verify ${COPY} --key ${KEYS}`);
  const message = wrap(escapeTerminal(tampered.problem?.message ?? ''), page.width - 4);
  page.block(message.map((line, index) => `${index === 0 ? colours.red('✗') : ' '} ${line}`));
}
