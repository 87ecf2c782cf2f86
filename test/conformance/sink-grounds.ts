import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import type { SinkDependencies, SinkSettings } from '../../src/audit/sinks/contract.js';
import type { SINKS } from '../../src/audit/sinks/index.js';
import { parseAddressList } from '../../src/util/address-list.js';
import { outboundRules } from '../../src/util/outbound.js';
import { isWebhookSignature, readWebhookSecret } from '../../src/util/sign-webhook.js';
import { findPostgres } from '../helpers/postgres.js';

/** A place that one type of sinks can really send to. */
export interface SinkGround {
  settings: SinkSettings;
  /** Everything that is there, in the order of the place; a line each as `batchLines` has them. */
  received(): Promise<string[]>;
  /** From now on the place takes nothing. */
  breakDown(): Promise<void>;
  mend(): Promise<void>;
  /** Whether what is sent twice is there once. */
  recognises: boolean;
  close(): Promise<void>;
}

/** The types whose place can be tested in this process; stdout is the process's own. */
export type PlacedSink = Exclude<keyof typeof SINKS, 'stdout'>;

type S3rverClass = new (
  options: object,
) => { run(): Promise<{ port: number }>; close(): Promise<void> };

/** Makes the ground in an empty folder; a text says why it cannot be made here. */
export const SINK_GROUNDS: Readonly<
  Record<PlacedSink, (folder: string) => Promise<SinkGround | string>>
> = {
  file: async (folder) => {
    const away = join(folder, 'away');
    const place = join(folder, 'place');
    await mkdir(place);
    return {
      settings: { type: 'file', name: 'local', path: join(place, 'audit.jsonl') } as SinkSettings,
      received: async () => {
        const text = await readFile(join(place, 'audit.jsonl'), 'utf8').catch(() => '');
        return text.split('\n').slice(0, -1);
      },
      breakDown: () => rename(place, away),
      mend: () => rename(away, place),
      recognises: true,
      close: async () => undefined,
    };
  },

  webhook: async () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const lines: string[] = [];
    let isDown = false;
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part) => parts.push(part));
      request.on('end', () => {
        const body = Buffer.concat(parts).toString('utf8');
        const message = {
          id: String(request.headers['webhook-id']),
          timestampSeconds: Number(request.headers['webhook-timestamp']),
          body,
        };
        const signature = String(request.headers['webhook-signature']);
        const isSigned = isWebhookSignature(readWebhookSecret(secret, 'it'), message, signature);
        const isRecent = Math.abs(Date.now() / 1000 - message.timestampSeconds) < 60;
        if (isDown || !isSigned || !isRecent) {
          response.writeHead(isDown ? 503 : 401).end();
          return;
        }
        const { records, checkpoints } = JSON.parse(body) as {
          records: object[];
          checkpoints: object[];
        };
        lines.push(...records.map((record) => JSON.stringify(record)));
        lines.push(...checkpoints.map((checkpoint) => JSON.stringify({ checkpoint })));
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const settings = { type: 'webhook', name: 'siem', url: `http://127.0.0.1:${port}/events` };
    return {
      settings: { ...settings, secret_env: 'SIEM_SECRET' } as SinkSettings,
      received: async () => lines,
      breakDown: async () => {
        isDown = true;
      },
      mend: async () => {
        isDown = false;
      },
      recognises: false,
      close: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  },

  postgres: async () => {
    const { url, reason } = await findPostgres();
    if (url === null) return reason;
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const schema = `vkit_sink_${randomBytes(6).toString('hex')}`;
    await client.query(`create schema ${schema}`);
    const table = `${schema}.copy`;
    const bare = new URL(url);
    bare.password = '';
    return {
      settings: { type: 'postgres', name: 'primary', url: bare.href, table } as SinkSettings,
      received: async () => {
        const found = await client.query(
          `select seq, 0 as late, record as line from ${table}
           union all select seq, 1, checkpoint from ${table}_checkpoints order by 1, 2`,
        );
        return found.rows.map(({ line }) => line);
      },
      breakDown: async () => {
        await client.query(`alter schema ${schema} rename to ${schema}_away`);
      },
      mend: async () => {
        await client.query(`alter schema ${schema}_away rename to ${schema}`);
      },
      recognises: true,
      close: async () => {
        await client.query(`drop schema if exists ${schema} cascade`);
        await client.query(`drop schema if exists ${schema}_away cascade`);
        await client.end();
      },
    };
  },

  s3: async (folder) => {
    // @ts-expect-error the package has no types; what is used of it is S3rverClass.
    const S3rver: S3rverClass = (await import('s3rver')).default;
    const { S3Client, ListObjectsV2Command, GetObjectCommand } = await import('@aws-sdk/client-s3');
    const options = {
      port: 0,
      address: '127.0.0.1',
      silent: true,
      directory: join(folder, 's3'),
      configureBuckets: [{ name: 'audit-archive', configs: [] }],
    };
    let server = new S3rver(options);
    const { port } = await server.run();
    const endpoint = `http://127.0.0.1:${port}`;
    process.env.AWS_ACCESS_KEY_ID ??= 'S3RVER';
    process.env.AWS_SECRET_ACCESS_KEY ??= 'S3RVER';
    const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true });
    const settings = { type: 's3', name: 'archive', bucket: 'audit-archive', endpoint };
    return {
      settings: { ...settings, force_path_style: true, retention_days: 2555 } as SinkSettings,
      received: async () => {
        const { Contents = [] } = await client.send(
          new ListObjectsV2Command({ Bucket: 'audit-archive', Prefix: 'audit/' }),
        );
        const texts = await Promise.all(
          Contents.map(async ({ Key }) => {
            const found = await client.send(new GetObjectCommand({ Bucket: 'audit-archive', Key }));
            return (await found.Body?.transformToString()) ?? '';
          }),
        );
        return texts.flatMap((text) => text.split('\n').slice(0, -1));
      },
      breakDown: () => server.close(),
      mend: async () => {
        server = new S3rver({ ...options, port });
        await server.run();
      },
      recognises: false,
      close: async () => {
        client.destroy();
        await server.close();
        await rm(join(folder, 's3'), { recursive: true, force: true });
      },
    };
  },
};

/** What a sink of the configuration is opened with here. */
export function sinkDependencies(dataDir: string): SinkDependencies {
  return {
    org: 'acme',
    dataDir,
    rules: outboundRules(parseAddressList([], 'private_addresses')),
    variable: (name) =>
      name === 'SIEM_SECRET' ? 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' : undefined,
    ownSecret: async () => 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    now: Date.now,
  };
}
