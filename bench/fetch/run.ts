import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../src/util/package-root.js';

const PEERS = join(packageRoot(), 'bench', 'peers');

/** One of the servers that are compared, in a process of its own. */
export interface Contender {
  name: string;
  process: ChildProcess;
  address: string;
  token: string;
  fetch: string;
  stream?: string;
  query?: string;
}

/** Starts a server and reads the line in which it says how to ask. */
export async function start(name: string, args: readonly string[]): Promise<Contender> {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: packageRoot(),
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{')) return { name, process: child, ...JSON.parse(line) };
  }
  throw new Error(`${name} ended before it answered.`);
}

export async function stop({ process: child }: Contender): Promise<void> {
  child.kill('SIGTERM');
  if (child.exitCode === null) await once(child, 'exit');
}

export interface Load {
  requestsPerSecond: number;
  p99: number;
}

type Autocannon = (options: object) => Promise<{
  requests: { average: number };
  latency: { p99: number };
  errors: number;
  non2xx: number;
}>;

/** Asks for the same answer over and over, and throws where one is an error. */
export async function load(
  { address, fetch, token, query, name }: Contender,
  connections: number,
  seconds: number,
): Promise<Load> {
  const autocannon = createRequire(join(PEERS, 'package.json'))('autocannon') as Autocannon;
  const result = await autocannon({
    url: `${address}${fetch}`,
    method: 'POST',
    connections,
    duration: seconds,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(query === undefined ? {} : { query }),
  });
  if (result.errors + result.non2xx > 0) throw new Error(`${name} answered with errors.`);
  return { requestsPerSecond: result.requests.average, p99: result.latency.p99 };
}

export interface Streamed {
  megabytesPerSecond: number;
  rows: number;
  /** Peak of the server's memory above what it had idle. */
  memoryMegabytes: number;
}

/** Reads a stream to its end and looks at the server's memory meanwhile. */
export async function stream(contender: Contender, accept: string): Promise<Streamed> {
  const idle = residentMegabytes(contender.process);
  let peak = idle;
  const watch = setInterval(() => {
    peak = Math.max(peak, residentMegabytes(contender.process));
  }, 50);
  const startedAt = performance.now();
  const response = await fetch(`${contender.address}${contender.stream}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${contender.token}`,
      accept,
    },
    body: '{}',
  });
  let bytes = 0;
  let rows = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) rows += 1;
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  clearInterval(watch);
  if (response.status !== 200) throw new Error(`${contender.name} answered ${response.status}.`);
  return { megabytesPerSecond: bytes / 1e6 / seconds, rows, memoryMegabytes: peak - idle };
}

/** Linux says it in /proc; elsewhere memory is not measured. */
function residentMegabytes({ pid }: ChildProcess): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
