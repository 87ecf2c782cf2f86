import {
  CheckpointComparison,
  type CheckpointFacts,
  type CheckpointsSeen,
} from './compare-checkpoints.js';
import { type AuditKeys, type Inspected, inspectLine, inspectRecord } from './inspect-record.js';
import type { AuditRecord } from './model.js';
import { GENESIS_HASH } from './record-hash.js';
import { splitLines } from './split-lines.js';

/** Where in the log the records begin. */
export interface ChainPosition {
  seq: number;
  hash: string;
}

export interface ChainProblem {
  /** The number in the log that is not as it was written: of the record changed, missing, inserted or moved. */
  seq: number;
  /** Absent where no record is there to have one. */
  audit_id?: string;
  /** 1-based place among the records (the line of an exported file) at which it shows. */
  position: number;
  kind:
    | 'changed'
    | 'removed'
    | 'inserted'
    | 'reordered'
    | 'signature'
    | 'malformed'
    /** The log holds together and is another one than a checkpoint signed. */
    | 'rewritten'
    /** The log ends before a checkpoint does. */
    | 'truncated';
  message: string;
}

export interface ChainVerdict {
  ok: boolean;
  /** Records that verified before the first problem. */
  count: number;
  first: ChainPosition | null;
  /** The last record that verified. Compare it with a checkpoint: a cut tail leaves a chain that is whole. */
  last: ChainPosition | null;
  problem?: ChainProblem;
  /** Where checkpoints were given: those that the log agrees with. */
  checkpoints?: CheckpointsSeen;
  /** The checkpoint that the log begins after, where its former records were taken out as the log itself says. */
  begins_after?: Pick<CheckpointFacts, 'seq' | 'root' | 'timestamp'>;
}

export interface VerifyOptions {
  keys: AuditKeys;
  /**
   * The record before the first one given; absent for a whole log. `'anywhere'` trusts the first record to be where an
   * export of a part of the log began.
   */
  from?: ChainPosition | 'anywhere';
  /**
   * Checkpoints to compare with, which have been found genuine. The end of a part that begins anywhere is not compared. A
   * log that begins where one of them ends is taken for whole if one of its records says so.
   */
  checkpoints?: readonly CheckpointFacts[];
}

/**
 * Verifies records in the order given and names the first that was changed, removed, inserted or reordered. It holds a
 * few records at a time; after a problem it reads on to the end, since only the rest tells a removed record from a moved
 * one.
 */
export function verifyChain(
  records: Iterable<unknown> | AsyncIterable<unknown>,
  options: VerifyOptions,
): Promise<ChainVerdict> {
  return verifyInspected(records, (value) => inspectRecord(value, options.keys), options);
}

/** As `verifyChain`, offline over the bytes of an exported log: one canonical record per line, in which each byte counts. */
export function verifyExport(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: VerifyOptions & {
    /** Lines that are no records of the log and are not counted: the checkpoints that a sink was sent among them. */
    skip?: (line: string) => boolean;
  },
): Promise<ChainVerdict> {
  const lines = recordLines(chunks, options.skip);
  return verifyInspected(lines, (line) => inspectLine(line, options.keys), options);
}

async function* recordLines(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  skip: (line: string) => boolean = () => false,
): AsyncGenerator<string | undefined> {
  for await (const line of splitLines(chunks)) {
    if (line === undefined || !skip(line)) yield line;
  }
}

/** The first thing that stood where another record was expected. */
interface Suspect {
  inspected: Inspected;
  position: number;
  expected: ChainPosition;
}

async function verifyInspected<T>(
  values: Iterable<T> | AsyncIterable<T>,
  inspect: (value: T) => Inspected,
  { from, checkpoints }: VerifyOptions,
): Promise<ChainVerdict> {
  const comparison = checkpoints && new CheckpointComparison(checkpoints);
  let before = from === 'anywhere' ? null : (from ?? { seq: 0, hash: GENESIS_HASH });
  let first: ChainPosition | null = null;
  let last: ChainPosition | null = null;
  let suspect: Suspect | null = null;
  // What the rest of the records says of the suspect.
  let expectedLater: AuditRecord | null = null;
  let suspectAgain = false;
  let position = 0;
  for await (const value of values) {
    position += 1;
    const inspected = inspect(value);
    if (suspect === null) {
      if (position === 1) {
        const anchor = from === undefined ? anchorOf(inspected, comparison) : null;
        before = anchor ?? before ?? beginsAt(inspected);
        comparison?.begin(before, anchor !== null);
      }
      before ??= beginsAt(inspected);
      if (follows(inspected, before)) {
        const { seq, hash } = inspected.record;
        before = last = { seq, hash };
        first ??= last;
        const problem = comparison?.see(inspected.record);
        // What lies between the last checkpoint that agrees and this one can be anything.
        if (problem) {
          const agreed = comparison?.seen.last?.seq ?? first.seq - 1;
          const count = Math.max(0, agreed - first.seq + 1);
          return {
            ok: false,
            count,
            first,
            last,
            problem: { ...problem, position },
            ...told(comparison),
          };
        }
      } else suspect = { inspected, position, expected: before };
      continue;
    }
    if (follows(inspected, suspect.expected)) expectedLater ??= inspected.record;
    suspectAgain ||= isSame(inspected, suspect.inspected);
  }
  const count = suspect === null ? position : suspect.position - 1;
  const facts = { count, first, last, ...told(comparison) };
  if (suspect === null) {
    const ending = from === 'anywhere' ? null : comparison?.end(last?.seq ?? 0);
    if (!ending) return { ok: true, ...facts };
    return { ok: false, ...facts, problem: { ...ending, position: position + 1 } };
  }
  return { ok: false, ...facts, problem: judge(suspect, expectedLater, suspectAgain) };
}

function anchorOf(
  inspected: Inspected,
  comparison: CheckpointComparison | undefined,
): ChainPosition | null {
  if (!inspected.genuine || inspected.record.seq === 1) return null;
  const anchor = comparison?.anchorFor(inspected.record);
  return anchor ? { seq: anchor.seq, hash: anchor.hash } : null;
}

function told(
  comparison: CheckpointComparison | undefined,
): Pick<ChainVerdict, 'checkpoints' | 'begins_after'> {
  if (comparison === undefined) return {};
  const { seen, anchor } = comparison;
  if (anchor === null) return { checkpoints: seen };
  const { seq, root, timestamp } = anchor;
  return { checkpoints: seen, begins_after: { seq, root, timestamp } };
}

function beginsAt(inspected: Inspected): ChainPosition {
  if (!inspected.genuine) return { seq: 0, hash: GENESIS_HASH };
  return { seq: inspected.record.seq - 1, hash: inspected.record.prev_hash };
}

function follows(
  inspected: Inspected,
  before: ChainPosition,
): inspected is Extract<Inspected, { genuine: true }> {
  if (!inspected.genuine) return false;
  return inspected.record.seq === before.seq + 1 && inspected.record.prev_hash === before.hash;
}

function isSame(left: Inspected, right: Inspected): boolean {
  return left.genuine && right.genuine && left.record.hash === right.record.hash;
}

function judge(
  { inspected, position, expected }: Suspect,
  expectedLater: AuditRecord | null,
  suspectAgain: boolean,
): ChainProblem {
  const seq = expected.seq + 1;
  const after = expected.seq === 0 ? 'the beginning' : `record ${expected.seq}`;
  if (!inspected.genuine) {
    const id = inspected.auditId === undefined ? {} : { audit_id: inspected.auditId };
    const at = { seq, ...id, position };
    if (expectedLater !== null && inspected.kind !== 'malformed') {
      const message = `A record that is not of this log was inserted after ${after}; it ${inspected.message}.`;
      return { ...at, kind: 'inserted', message };
    }
    const message = `Record ${seq}${name(inspected.auditId)} ${inspected.message}.`;
    return { ...at, kind: inspected.kind, message };
  }
  const { record } = inspected;
  const found = `record ${record.seq}${name(record.audit_id)}`;
  if (record.seq < seq || suspectAgain || (record.seq === seq && expectedLater !== null)) {
    const which = record.seq === seq ? `Another ${found}` : `A copy of ${found}`;
    const message = `${which} was inserted after ${after}.`;
    return { seq: record.seq, audit_id: record.audit_id, position, kind: 'inserted', message };
  }
  if (expectedLater !== null) {
    const id = expectedLater.audit_id;
    const message = `Record ${seq}${name(id)} was moved: ${found} stands in its place.`;
    return { seq, audit_id: id, position, kind: 'reordered', message };
  }
  if (record.seq > seq) {
    const upTo = record.seq - 1 === seq ? `Record ${seq}` : `Records ${seq} to ${record.seq - 1}`;
    const message = `${upTo} removed: ${after} is followed by ${found}.`;
    return { seq, position, kind: 'removed', message };
  }
  const message = `Record ${seq}${name(record.audit_id)} does not continue ${after}: one of both is of another log.`;
  return { seq, audit_id: record.audit_id, position, kind: 'changed', message };
}

function name(auditId: string | undefined): string {
  return auditId === undefined ? '' : ` (${auditId})`;
}
