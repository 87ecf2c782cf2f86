import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { inspectCheckpoint } from '../audit/checkpoint.js';
import type { CheckpointFacts } from '../audit/compare-checkpoints.js';
import { type AuditKeys, inspectLine } from '../audit/inspect-record.js';
import { splitLines } from '../audit/split-lines.js';
import { VkitError } from '../errors/index.js';

/** With one every thousand records, those of a hundred million. */
export const CHECKPOINTS_MAX = 100_000;
/** A document is read whole up to this; what is longer has one checkpoint a line. */
const DOCUMENT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * The checkpoints of files that were kept elsewhere: what `/audit/checkpoints` answers, a list or a single one of them, a signed
 * one alone, or what a sink was sent, one entry a line. An exported log without checkpoints is one too: its last record tells
 * how the log was then. Throws `audit_broken` for one that is not genuine, `invalid_input` for a file that holds none.
 */
export async function readCheckpoints(
  files: readonly string[],
  keys: AuditKeys,
): Promise<CheckpointFacts[]> {
  const all: CheckpointFacts[] = [];
  for (const file of files) {
    const found = await readOne(file, keys);
    if (found.length === 0) {
      throw new VkitError(
        'invalid_input',
        `The file ${file} holds no checkpoint of an audit log.`,
        {
          hint: 'It is what GET /audit/checkpoints answers, what a sink was sent, or an earlier export.',
        },
      );
    }
    all.push(...found);
    if (all.length > CHECKPOINTS_MAX) throw tooMany();
  }
  return all;
}

/** Throws `audit_broken` for one that is not genuine. */
export function checkpointFacts(jws: unknown, keys: AuditKeys, where: string): CheckpointFacts {
  const inspected = inspectCheckpoint(jws, keys);
  if (inspected.genuine) return inspected.checkpoint;
  throw new VkitError('audit_broken', `A checkpoint ${where} ${inspected.message}.`, {
    hint: 'See that --key names the public key of the audit log, then compare with another copy of it.',
  });
}

export function tooMany(): VkitError {
  return new VkitError('limit_exceeded', `There are more than ${CHECKPOINTS_MAX} checkpoints.`, {
    hint: 'Give those that matter; the last one covers everything before it.',
  });
}

async function readOne(file: string, keys: AuditKeys): Promise<CheckpointFacts[]> {
  try {
    const { size } = await stat(file);
    const values = size <= DOCUMENT_BYTES_MAX ? documentOf(await readFile(file, 'utf8')) : null;
    if (values) {
      if (values.length > CHECKPOINTS_MAX) throw tooMany();
      return values.map((jws) => checkpointFacts(jws, keys, `of ${file}`));
    }
    return await readLines(file, keys);
  } catch (cause) {
    if (cause instanceof VkitError) throw cause;
    throw new VkitError('invalid_input', `The file ${file} cannot be read.`, { cause });
  }
}

/** The signed forms in a document; null where it is none. */
function documentOf(text: string): unknown[] | null {
  const trimmed = text.trim();
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(trimmed)) return [trimmed];
  let value: unknown;
  try {
    value = JSON.parse(trimmed);
  } catch {
    // Several lines of JSON are no document.
    return null;
  }
  const list = (value as { checkpoints?: unknown } | null)?.checkpoints ?? value;
  const signed = (Array.isArray(list) ? list : [list]).map(signedOf);
  return signed.every((one) => one === undefined) ? null : signed;
}

function signedOf(value: unknown): unknown {
  const { checkpoint, jws } = (value ?? {}) as { checkpoint?: { jws?: unknown }; jws?: unknown };
  return jws ?? checkpoint?.jws;
}

/** The checkpoints among the lines of a log, or else its last record. */
async function readLines(file: string, keys: AuditKeys): Promise<CheckpointFacts[]> {
  const found: CheckpointFacts[] = [];
  let lastRecord: string | undefined;
  for await (const line of splitLines(createReadStream(file))) {
    const signed = line === undefined ? undefined : checkpointOfLine(line);
    if (signed === undefined) lastRecord = line;
    else found.push(checkpointFacts(signed, keys, `of ${file}`));
    if (found.length > CHECKPOINTS_MAX) throw tooMany();
  }
  const inspected = inspectLine(lastRecord, keys);
  if (lastRecord === undefined || !inspected.genuine) return found;
  const { seq, hash, timestamp } = inspected.record;
  return [...found, { seq, hash, root: null, timestamp }];
}

/** How a checkpoint stands among the records of a log: `{"checkpoint":{…}}`. */
const CHECKPOINT_LINE = '{"checkpoint":';

/** The signed form of a line that holds a checkpoint; undefined for any other. */
export function checkpointOfLine(line: string): unknown {
  if (line.startsWith(CHECKPOINT_LINE) || line.includes('"jws":"')) {
    try {
      const signed = signedOf(JSON.parse(line));
      return line.startsWith(CHECKPOINT_LINE) ? (signed ?? null) : signed;
    } catch {
      // Not JSON: no checkpoint of it can be genuine.
      return line.startsWith(CHECKPOINT_LINE) ? null : undefined;
    }
  }
  return undefined;
}
