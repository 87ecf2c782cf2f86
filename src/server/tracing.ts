import type { Span } from '@opentelemetry/api';
import { VkitError } from '../errors/index.js';
import type { CallSpan } from '../services/control/call-span.js';

/** `00-<trace>-<span>-<flags>` (W3C Trace Context, level 1). */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
/** Spans that wait to be sent; what comes beyond is dropped, so that a slow collector costs no memory. */
const QUEUED_MAX = 2_048;
const SENT_TOGETHER_MAX = 256;
const SEND_EVERY_MS = 1_000;
const SEND_MS_MAX = 10_000;

export interface Tracing {
  /** The span of a request, below the one that its `traceparent` names. */
  start(name: string, traceparent: string | undefined): CallSpan;
  /** Sends what waits to be sent. */
  close(): Promise<void>;
}

export interface TracingOptions {
  /** Of a collector that takes OTLP over HTTP: `http://127.0.0.1:4318`. */
  endpoint: string;
  version: string;
}

/**
 * Sends spans to a collector. OpenTelemetry is loaded here alone, so that it costs nothing where nobody traces. Throws
 * `dependency_missing` where it is not installed.
 */
export async function startTracing({ endpoint, version }: TracingOptions): Promise<Tracing> {
  const [api, sdk, otlp] = await load();
  const exporter = new otlp.OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    timeoutMillis: SEND_MS_MAX,
  });
  const provider = new sdk.NodeTracerProvider({
    resource: resourceOf({ 'service.name': 'vkit', 'service.version': version }),
    spanProcessors: [
      new sdk.BatchSpanProcessor(exporter, {
        maxQueueSize: QUEUED_MAX,
        maxExportBatchSize: SENT_TOGETHER_MAX,
        scheduledDelayMillis: SEND_EVERY_MS,
        exportTimeoutMillis: SEND_MS_MAX,
      }),
    ],
  });
  const tracer = provider.getTracer('vkit', version);

  const wrap = (span: Span): CallSpan => ({
    child: (name) => {
      const context = api.trace.setSpan(api.ROOT_CONTEXT, span);
      return wrap(tracer.startSpan(name, { kind: api.SpanKind.INTERNAL }, context));
    },
    set: (name, value) => void span.setAttribute(name, value),
    fail: (error) => {
      // Never the message: it may name what was asked for.
      const code = error instanceof VkitError ? error.code : 'internal';
      span.setAttribute('error.type', code);
      span.setStatus({ code: api.SpanStatusCode.ERROR });
    },
    end: () => span.end(),
  });

  return {
    start(name, traceparent) {
      const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
      const parent = {
        traceId: traceId ?? '',
        spanId: spanId ?? '',
        traceFlags: 0,
        isRemote: true,
      };
      const isNamed = flags !== undefined && api.isSpanContextValid(parent);
      const context = isNamed
        ? api.trace.setSpanContext(api.ROOT_CONTEXT, {
            ...parent,
            traceFlags: Number.parseInt(flags, 16) & api.TraceFlags.SAMPLED,
          })
        : api.ROOT_CONTEXT;
      return wrap(tracer.startSpan(name, { kind: api.SpanKind.SERVER }, context));
    },
    close: () => provider.shutdown(),
  };
}

async function load() {
  try {
    return await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/sdk-trace-node'),
      import('@opentelemetry/exporter-trace-otlp-http'),
    ]);
  } catch (cause) {
    throw new VkitError('dependency_missing', 'Traces need packages that are not installed.', {
      hint: 'npm install @opentelemetry/api @opentelemetry/sdk-trace-node @opentelemetry/exporter-trace-otlp-http',
      cause,
    });
  }
}

/** What OpenTelemetry's own package of resources would make; its detectors, which look around on the machine, are not wanted. */
function resourceOf(attributes: Record<string, string>) {
  const resource = {
    attributes,
    merge: () => resource,
    getRawAttributes: () => Object.entries(attributes),
  };
  return resource as never;
}
