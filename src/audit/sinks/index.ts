import type { AuditSink, SinkDependencies, SinkSettings, SinkType } from './contract.js';
import { fileSink } from './file.js';
import { postgresSink } from './postgres.js';
import { s3Sink } from './s3.js';
import { stdoutSink } from './stdout.js';
import { webhookSink } from './webhook.js';

/** Every type of sinks; the settings of each are in schemas/vkit.server.schema.json. */
export const SINKS = {
  file: fileSink,
  postgres: postgresSink,
  s3: s3Sink,
  stdout: stdoutSink,
  webhook: webhookSink,
} as const satisfies Record<string, SinkType<never>>;

export interface OpenedSink {
  name: string;
  type: string;
  kind: Pick<SinkType<SinkSettings>, 'batchMax' | 'lingerSeconds' | 'isKept'>;
  sink: AuditSink;
}

/** A sink by its settings, which have been held against the schema. Throws `config_invalid`. */
export async function openSink(
  settings: SinkSettings,
  dependencies: SinkDependencies,
): Promise<OpenedSink> {
  const kind = SINKS[settings.type as keyof typeof SINKS] as unknown as SinkType<SinkSettings>;
  const { name, type } = settings;
  return { name, type, kind, sink: await kind.open(settings, dependencies) };
}
