import { createReadStream } from 'node:fs';
import { string as argument } from '@oclif/core/args';
import { boolean, string } from '@oclif/core/flags';
import type { CheckpointFacts } from '../../audit/compare-checkpoints.js';
import type { AuditKeys } from '../../audit/inspect-record.js';
import { splitLines } from '../../audit/split-lines.js';
import { type ChainVerdict, verifyChain, verifyExport } from '../../audit/verify-chain.js';
import { BaseCommand } from '../../cli/base-command.js';
import { coloursFor } from '../../cli/colours.js';
import { connect, connectAnonymously } from '../../cli/connect.js';
import { renderFacts } from '../../cli/facts.js';
import { serverFlags } from '../../cli/flags.js';
import { oneOf } from '../../cli/one-of.js';
import { auditCheckpoints, auditRecords } from '../../client/audit-records.js';
import { VkitError } from '../../errors/index.js';
import { auditKeysOfJwks, readAuditKeys } from '../../services/read-audit-keys.js';
import {
  CHECKPOINTS_MAX,
  checkpointFacts,
  checkpointOfLine,
  readCheckpoints,
  tooMany,
} from '../../services/read-checkpoints.js';
import { escapeTerminal } from '../../util/escape.js';

export default class AuditVerify extends BaseCommand {
  static override summary = 'Verify that the audit log is as it was written.';
  static override description =
    `Of the server's log, or offline of an exported file. Names the first record that was changed, removed, inserted or \
moved, and exits 3. A tail that was cut off, and a log that was rewritten whole, show only against --checkpoint: what \
/audit/checkpoints answered, what a sink was sent, or an earlier export, kept where whoever runs the server cannot change it. \
Without --key the keys are those the server publishes; whoever could rewrite its log could change them, so keep them \
elsewhere too.`;
  static override examples = [
    '<%= config.bin %> audit verify',
    '<%= config.bin %> audit verify --checkpoint kept/checkpoints.json --key kept/audit_keys.json',
    '<%= config.bin %> audit verify audit.jsonl --key audit_keys.json --checkpoint earlier.jsonl',
  ];
  static override args = { file: argument({ description: 'An exported log.' }) };
  static override flags = {
    ...serverFlags,
    file: string({ description: 'An exported log.', helpValue: 'FILE' }),
    key: string({
      description: 'Public key of the audit log: PEM or JWK Set; may be given several times.',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'FILE',
    }),
    checkpoint: string({
      description: 'Checkpoints that were kept elsewhere; may be given several times.',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'FILE',
    }),
    partial: boolean({ description: 'The file is a part of a log and may begin anywhere in it.' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(AuditVerify);
    const file = oneOf(args.file, flags.file, 'file');
    if (file === undefined && flags.partial)
      throw new VkitError('usage', '--partial is for a file: the server has the whole log.');
    const kept = flags.checkpoint ?? [];
    const verdict = withRecords(
      file === undefined
        ? await this.verifyServer(flags, kept)
        : await verifyFile(file, { keys: await this.keysFor(flags), kept, partial: flags.partial }),
    );
    const payload = { status: verdict.ok ? 'verified' : 'broken', ...verdict };
    this.report(verdict, kept.length > 0);
    return verdict.ok ? payload : this.answer(3, payload);
  }

  private async verifyServer(
    flags: Parameters<typeof connect>[0] & { key?: string[] | undefined },
    kept: readonly string[],
  ) {
    const { client } = await connect(flags, this.config.version);
    const keys = flags.key
      ? await readAuditKeys(flags.key)
      : await auditKeysOfJwks(await client.jwks());
    const checkpoints = await readCheckpoints(kept, keys);
    // Before the records: one that is made meanwhile would be beyond the end of what was read.
    for await (const { jws } of auditCheckpoints(client)) {
      checkpoints.push(checkpointFacts(jws, keys, 'of the server'));
      if (checkpoints.length > CHECKPOINTS_MAX) throw tooMany();
    }
    return verifyChain(auditRecords(client, { order: 'asc' }), { keys, checkpoints });
  }

  /** Without `--key` the keys come from the server, which need not be asked for anything else. */
  private async keysFor(flags: Parameters<typeof connect>[0] & { key?: string[] | undefined }) {
    if (flags.key) return readAuditKeys(flags.key);
    const { client, endpoint } = await connectAnonymously(flags, this.config.version);
    try {
      return await auditKeysOfJwks(await client.jwks());
    } catch (cause) {
      if (!(cause instanceof VkitError) || cause.code !== 'server_unreachable') throw cause;
      throw new VkitError(
        'usage',
        `--key is missing, and no server gives its keys at ${endpoint}.`,
        {
          hint: "Name the public key of the log, such as the server's /.well-known/jwks.json in a file.",
          details: { flag: '--key' },
          cause,
        },
      );
    }
  }

  private report(verdict: ChainVerdict, isCompared: boolean): void {
    const { ok, count, first, last, problem, checkpoints, begins_after } = verdict;
    const colours = coloursFor(process.stdout);
    const heading = ok
      ? colours.green('The audit log verifies.')
      : `${colours.red('The audit log does not verify.')} ${escapeTerminal(problem?.message ?? '')}`;
    this.log(heading);
    this.log(
      renderFacts([
        ['verified', `${count} ${count === 1 ? 'record' : 'records'}`],
        ['first record', first?.seq],
        [
          'begins after',
          begins_after &&
            `record ${begins_after.seq}, the checkpoint of ${escapeTerminal(begins_after.timestamp)}: those before it were removed, as the log itself says`,
        ],
        ['last record', last?.seq],
        ['last hash', last?.hash],
        [
          'checkpoints',
          checkpoints &&
            `${checkpoints.matched} agree${checkpoints.last ? `, the last of them up to record ${checkpoints.last.seq}` : ''}`,
        ],
        [
          'broken at',
          problem && `record ${problem.seq}, line ${problem.position} (${problem.kind})`,
        ],
        ['audit id', problem?.audit_id],
      ]),
    );
    if (!ok || last === null) return;
    const covered = isCompared ? (checkpoints?.last?.seq ?? 0) : 0;
    if (covered >= last.seq) return;
    this.note(
      covered === 0
        ? `A tail that was cut off, or a log that was rewritten whole, shows only against what you keep elsewhere: a checkpoint, what a sink was sent, or an export (--checkpoint).`
        : `What you kept elsewhere covers records up to ${covered}: keep a later checkpoint too.`,
    );
  }
}

/** Of nothing one cannot say that it is as it was written: every log begins with a record. */
function withRecords(verdict: ChainVerdict): ChainVerdict {
  if (!verdict.ok || verdict.count > 0) return verdict;
  const message = 'It holds no records.';
  return { ...verdict, ok: false, problem: { seq: 1, position: 1, kind: 'removed', message } };
}

async function verifyFile(
  file: string,
  { keys, kept, partial }: { keys: AuditKeys; kept: readonly string[]; partial: boolean },
): Promise<ChainVerdict> {
  const checkpoints = await readCheckpoints(kept, keys);
  try {
    // First its own checkpoints: one can stand after records that it says nothing of.
    const own: CheckpointFacts[] = [];
    for await (const line of splitLines(createReadStream(file))) {
      const signed = line === undefined ? undefined : checkpointOfLine(line);
      if (signed !== undefined) own.push(checkpointFacts(signed, keys, `of ${file}`));
      if (own.length > CHECKPOINTS_MAX) throw tooMany();
    }
    const all = [...checkpoints, ...own];
    return await verifyExport(createReadStream(file), {
      keys,
      skip: (line) => checkpointOfLine(line) !== undefined,
      ...(all.length === 0 ? {} : { checkpoints: all }),
      ...(partial ? { from: 'anywhere' as const } : {}),
    });
  } catch (cause) {
    if (cause instanceof VkitError) throw cause;
    throw new VkitError('invalid_input', `The file ${file} cannot be read.`, { cause });
  }
}
