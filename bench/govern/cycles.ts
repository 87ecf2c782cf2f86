import { Agent, request } from 'node:http';

export interface Measured {
  perSecond: number;
  p99Ms: number;
}

/** A client that keeps its connections, as a service in front of vkit does. */
export function createPoster(
  address: string,
  token: string,
): { post(path: string, body: string): Promise<string>; close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  return {
    post: (path, body) =>
      new Promise((resolve, reject) => {
        const headers = {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          authorization: `Bearer ${token}`,
        };
        const asked = request(`${address}${path}`, { method: 'POST', agent, headers }, (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          answer.on('error', reject);
          answer.on('end', () => {
            if (answer.statusCode === 200) resolve(text);
            else reject(new Error(`${path} answered ${answer.statusCode}: ${text}`));
          });
        });
        asked.on('error', reject);
        asked.end(body);
      }),
    close: () => agent.destroy(),
  };
}

/** Runs cycles for so long, so many at once. */
export async function measure(
  cycle: () => Promise<void>,
  atOnce: number,
  seconds: number,
): Promise<Measured> {
  const tookMs: number[] = [];
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  const worker = async () => {
    for (let at = performance.now(); at < until; at = performance.now()) {
      await cycle();
      tookMs.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const took = (performance.now() - startedAt) / 1_000;
  tookMs.sort((a, b) => a - b);
  return {
    perSecond: tookMs.length / took,
    p99Ms: tookMs[Math.floor(tookMs.length * 0.99)] ?? Number.NaN,
  };
}
