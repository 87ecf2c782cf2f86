import { createHash } from 'node:crypto';
import { Agent } from 'node:https';
import { VkitError } from '../../errors/index.js';
import { checkOutboundUrl, guardedLookup } from '../../util/outbound.js';
import { batchLines, type SinkBatch, type SinkSettings, type SinkType } from './contract.js';

export interface S3SinkSettings extends SinkSettings {
  bucket: string;
  /** Before the name of each object; `audit/` if absent. */
  prefix?: string;
  region?: string;
  /** Of another store than Amazon's. */
  endpoint?: string;
  force_path_style?: boolean;
  /** How long nobody can delete or replace an object: S3 Object Lock, which the bucket must have. */
  retention_days?: number;
  /** `compliance` (the default) holds for everybody; `governance` yields to a permission of its own. */
  retention_mode?: 'compliance' | 'governance';
}

const TIMEOUT_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * Each batch as one object of JSON Lines whose name says which records it holds, and by its hash that it holds these: what is there is
 * never replaced by something else. Credentials are found as Amazon's SDK finds them.
 */
export const s3Sink: SinkType<S3SinkSettings> = {
  batchMax: 1_000,
  lingerSeconds: 5,
  isKept: true,
  async open(settings, { rules, now }) {
    const { name, bucket, endpoint, region, retention_days: days } = settings;
    if (endpoint !== undefined) checkOutboundUrl(endpoint, `the sink ${name}`, rules);
    const prefix = settings.prefix ?? 'audit/';
    let made: ReturnType<typeof connect> | undefined;
    const connect = async () => {
      const { S3Client, PutObjectCommand } = await loadSdk();
      const client = new S3Client({
        // The SDK asks for one also where the store has none.
        ...(region === undefined
          ? endpoint === undefined
            ? {}
            : { region: 'us-east-1' }
          : { region }),
        ...(endpoint === undefined ? {} : { endpoint }),
        forcePathStyle: settings.force_path_style ?? false,
        // The job repeats what failed, and says so.
        maxAttempts: 1,
        followRegionRedirects: false,
        requestHandler: {
          requestTimeout: TIMEOUT_MS,
          connectionTimeout: 10_000,
          ...(endpoint?.startsWith('https:')
            ? { httpsAgent: new Agent({ keepAlive: true, lookup: guardedLookup(rules) }) }
            : {}),
        },
        // Stores that are not Amazon's know no trailing checksums.
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
      });
      return { client, PutObjectCommand };
    };
    return {
      async deliver(batch, signal) {
        made ??= connect();
        const { client, PutObjectCommand } = await made;
        const body = Buffer.from(batchLines(batch));
        const until = days === undefined ? undefined : new Date(now() + days * DAY_MS);
        const locked = until && {
          ObjectLockMode:
            settings.retention_mode === 'governance'
              ? ('GOVERNANCE' as const)
              : ('COMPLIANCE' as const),
          ObjectLockRetainUntilDate: until,
          Metadata: { 'retain-until': until.toISOString() },
        };
        const put = new PutObjectCommand({
          Bucket: bucket,
          Key: `${prefix}${nameOf(batch)}`,
          Body: body,
          ContentType: 'application/jsonl',
          ContentMD5: createHash('md5').update(body).digest('base64'),
          ...locked,
        });
        try {
          await client.send(put, { abortSignal: signal });
        } catch (cause) {
          throw failed(bucket, cause);
        }
      },
      async close() {
        (await made?.catch(() => undefined))?.client.destroy();
      },
    };
  },
};

/** Numbers in equal width, so that a listing is in the order of the log. */
function nameOf(batch: SinkBatch): string {
  const records = batch.filter(({ kind }) => kind === 'record');
  const [first, last] = [records[0], records.at(-1)];
  if (first === undefined || last === undefined) {
    return `checkpoint-${padded(batch[0]?.seq)}-${padded(batch.at(-1)?.seq)}-${batch.at(-1)?.hash.slice(0, 16)}.jsonl`;
  }
  return `records-${padded(first.seq)}-${padded(last.seq)}-${last.hash.slice(0, 16)}.jsonl`;
}

function padded(seq: number | undefined): string {
  return String(seq ?? 0).padStart(12, '0');
}

async function loadSdk() {
  try {
    return await import('@aws-sdk/client-s3');
  } catch (cause) {
    throw new VkitError('dependency_missing', 'The sink s3 needs the package @aws-sdk/client-s3.', {
      hint: 'npm install @aws-sdk/client-s3',
      cause,
    });
  }
}

/** The SDK's names of errors are known words; its messages can repeat what was sent. */
function failed(bucket: string, cause: unknown): VkitError {
  if (cause instanceof VkitError) return cause;
  const { name, code } = cause as { name?: unknown; code?: unknown };
  const word = [code, name].find((one) => typeof one === 'string' && /^\w{1,64}$/.test(one));
  const hint =
    word === 'InvalidRequest' ? { hint: 'retention_days needs a bucket with Object Lock.' } : {};
  return new VkitError(
    'unavailable',
    `The bucket ${bucket} cannot be written (${word ?? 'unknown'}).`,
    {
      ...hint,
      cause,
    },
  );
}
