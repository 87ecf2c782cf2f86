import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ControlContext } from '../services/control/context.js';
import type { MetricGauge } from '../services/metric-gauge.js';

/** From an empty answer to a stream that takes its minute. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];
const LAG_RESOLUTION_MS = 20;

export interface Metrics {
  /** One request that has ended; `route` is the pattern of a route, never a path. */
  observe(request: { method: string; route: string; status: number }, seconds: number): void;
  /** All of it as Prometheus text. */
  text(): Promise<string>;
  contentType: string;
  close(): void;
}

/**
 * What a server tells Prometheus. Everything but the requests is looked up when it is asked for. Labels are routes, statuses,
 * outcomes and names that an administrator chose: nothing that a requester sends, and nothing without a bound.
 */
export function createMetrics(
  ctx: ControlContext,
  { version, gauges = [] }: { version: string; gauges?: readonly MetricGauge[] },
): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Histogram({
    name: 'vkit_http_request_duration_seconds',
    help: 'Requests over HTTP by route and status, from their head to the end of their answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers,
  });
  const build = gauge(registry, 'vkit_build_info', 'Always 1; the version is a label.', [
    'version',
  ]);
  build.set({ version }, 1);
  countActivity(registry, ctx);
  watchState(registry, ctx);
  const lag = watchProcess(registry);
  for (const { name, help, labels, collect } of gauges) {
    const added = gauge(registry, name, help, labels, async () => {
      const values = await collect();
      // What is gone since the last time is not told any more.
      added.reset();
      for (const one of values) added.set(one.labels, one.value);
    });
  }
  return {
    observe: (labels, seconds) => requests.observe(labels, seconds),
    text: () => registry.metrics(),
    contentType: registry.contentType,
    close: () => lag.disable(),
  };
}

function countActivity(registry: Registry, { activity }: ControlContext): void {
  const counter = (
    name: string,
    help: string,
    numbers: () => number | Readonly<Record<string, number>>,
  ): void => {
    const isOne = typeof numbers() === 'number';
    new Counter({
      name,
      help,
      labelNames: isOne ? [] : ['outcome'],
      registers: [registry],
      collect() {
        const now = numbers();
        this.reset();
        if (typeof now === 'number') this.inc(now);
        else for (const [outcome, value] of Object.entries(now)) this.inc({ outcome }, value);
      },
    });
  };
  counter('vkit_decisions_total', 'Requests decided, by outcome.', () => activity.decisions);
  counter('vkit_grants_total', 'Grants issued.', () => activity.grants);
  counter('vkit_fetches_total', 'Fetches by how they ended.', () => activity.fetches);
  counter('vkit_rows_total', 'Rows that left with answers.', () => activity.rows);
}

function watchState(registry: Registry, { store, running, connectors }: ControlContext): void {
  const queries = gauge(registry, 'vkit_running_queries', 'Queries under way.', [], () =>
    queries.set(running.size),
  );
  const head = gauge(
    registry,
    'vkit_audit_head_seq',
    'Number of the latest audit record.',
    [],
    async () => head.set((await store.audit.head())?.seq ?? 0),
  );
  const pools = gauge(
    registry,
    'vkit_datasource_connections',
    'Connections of each datasource: in use, waited for, and allowed.',
    ['datasource', 'state'],
    async () => {
      pools.reset();
      for (const { id: datasource, use } of await connectors.use()) {
        for (const [state, value] of Object.entries(use)) pools.set({ datasource, state }, value);
      }
    },
  );
}

function watchProcess(registry: Registry): { disable(): void } {
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  lag.enable();
  const delay = gauge(
    registry,
    'vkit_event_loop_lag_seconds',
    'How late the process came to its work since it was last asked.',
    ['quantile'],
    () => {
      const values = { 0.5: lag.percentile(50), 0.99: lag.percentile(99), 1: lag.max };
      for (const [quantile, nanoseconds] of Object.entries(values)) {
        delay.set({ quantile }, Math.max(0, nanoseconds / 1e9 - LAG_RESOLUTION_MS / 1e3));
      }
      lag.reset();
    },
  );
  const memory = gauge(registry, 'process_resident_memory_bytes', 'Resident memory.', [], () =>
    memory.set(process.memoryUsage.rss()),
  );
  const start = gauge(registry, 'process_start_time_seconds', 'When the process started.', []);
  start.set(Math.round(Date.now() / 1e3 - process.uptime()));
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Time on the processor.',
    registers: [registry],
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  return lag;
}

function gauge(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
  collect?: () => void | Promise<void>,
): Gauge {
  return new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    ...(collect ? { collect } : {}),
  });
}
