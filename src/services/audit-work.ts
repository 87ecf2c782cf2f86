import { performance } from 'node:perf_hooks';
import type { SinkDependencies, SinkSettings } from '../audit/sinks/contract.js';
import { type OpenedSink, openSink } from '../audit/sinks/index.js';
import type { Store } from '../store/model.js';
import { createCheckpointer } from './control/checkpoint-audit.js';
import { deliveryJob } from './control/deliver-audit.js';
import { removeOldRecords } from './control/retain-audit.js';
import type { Job } from './job.js';
import type { ServerKeys } from './server-keys.js';
import { auditSigner } from './server-keys.js';

export interface AuditWorkOptions {
  store: Store;
  keys: ServerKeys;
  settings: {
    sinks: readonly SinkSettings[];
    checkpoint_records: number;
    checkpoint_seconds: number;
    retention_days?: number;
  };
  sinks: SinkDependencies;
}

export interface AuditWork {
  jobs: readonly Job[];
  /** The sinks of the configuration, whose lag is of interest. */
  sinkNames: readonly string[];
  /** A last checkpoint, if the store takes one, and the end of the sinks. After it the jobs have nothing to do any more. */
  close(): Promise<void>;
}

/** How often it is looked whether a checkpoint is due. */
const CHECKPOINT_MS = 1_000;
/** How often old records are looked for. */
const RETENTION_MS = 60_000;

/** What is done with the audit log beside writing it. Throws `config_invalid` for a sink that cannot be. */
export async function openAuditWork(options: AuditWorkOptions): Promise<AuditWork> {
  const { store, keys, settings, sinks } = options;
  const opened: OpenedSink[] = [];
  try {
    for (const sink of settings.sinks) opened.push(await openSink(sink, sinks));
    // Before the first delivery: how far behind a sink is can be asked from now on.
    for (const { name, type } of opened) await store.auditSinks.begin({ name, type });
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
  const checkpointer = createCheckpointer({
    store,
    org: sinks.org,
    signer: auditSigner(keys),
    keys: new Map(
      [keys.audit, ...keys.former.audit].map(({ kid, publicKey }) => [kid, publicKey] as const),
    ),
    now: sinks.now,
    everyRecords: settings.checkpoint_records,
    everySeconds: settings.checkpoint_seconds,
  });
  const deliveries = opened.map((one) =>
    deliveryJob({
      store,
      opened: one,
      now: sinks.now,
      monotonic: () => performance.now(),
      random: Math.random,
    }),
  );
  return {
    jobs: [
      { name: 'audit-checkpoints', everyMs: CHECKPOINT_MS, run: checkpointer.run },
      ...deliveries,
      ...retentionJobs(options, opened),
    ],
    sinkNames: opened.map(({ name }) => name),
    async close() {
      // The log is whole without it, and a store that has broken must still be closed.
      await checkpointer.finish().catch(() => undefined);
      await closeAll(opened);
    },
  };
}

function retentionJobs(
  { store, settings, sinks }: AuditWorkOptions,
  opened: readonly OpenedSink[],
): Job[] {
  const { retention_days: retentionDays } = settings;
  if (retentionDays === undefined) return [];
  const keptBy = opened.filter(({ kind }) => kind.isKept).map(({ name }) => name);
  const options = { store, now: sinks.now, retentionDays, keptBy };
  const run = (signal: AbortSignal) => removeOldRecords(options, signal);
  return [{ name: 'audit-retention', everyMs: RETENTION_MS, run }];
}

async function closeAll(opened: readonly OpenedSink[]): Promise<void> {
  // One that does not close keeps none of the others open.
  await Promise.allSettled(opened.map(({ sink }) => sink.close()));
}
