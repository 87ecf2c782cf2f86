// What a decision costs, beside engines that somebody would use instead, on the same policies and requests. A decision is one
// field of a request; vkit makes those of a request together, with everything that a decision carries. The answers of all
// engines are compared first. It is bundled before it runs, as vkit is where it is used: `tsx` would give every function of
// ours, and none of the other engines, its name at every call. First: npm ci --prefix bench/peers
import { setFlagsFromString } from 'node:v8';
import { evaluate } from '../src/policy/evaluate.js';
import type { Action } from '../src/policy/model.js';
import { compilePolicySet } from '../src/policy/policy-set.js';
import { caslOf, cedarOf, type Decide } from './policy/peers.js';
import { inputOf, SIZES, type Workload, workloadOf } from './policy/workload.js';

/** Node 20 ends with "unreachable code" where a call into Cedar's WebAssembly was inlined and has to be undone. */
setFlagsFromString('--no-turbo-inline-js-wasm-calls');

/** Every engine gets this long at every size, in turns, so that a slow moment hits all of them. */
const TURNS = 6;
const TURN_MS = 400;
const AT = Date.parse('2026-03-02T10:00:00Z');
/** So many requests are asked of every engine when the answers are compared; Cedar takes long for each. */
const COMPARED = 40;
const TIMES_CASL_MIN = 30;
const SLOWDOWN_MAX = 2;

interface Engine {
  name: string;
  /** Decides the fields of a request by its number. */
  decide(request: number): readonly Action[];
  /** Milliseconds per request. */
  times: number[];
  decisions: number;
  ms: number;
}

const sides = SIZES.map((size) => sideOf(size, workloadOf(size)));
for (const { engines, workload } of sides) compare(engines, workload);
// Sizes take turns too, so that what else the machine does hits all of them.
for (let turn = 0; turn < TURNS; turn += 1) {
  for (const { engines, workload } of sides) {
    for (const one of engines) run(one, workload.requests.length, turn === 0);
  }
}

const perSecond = new Map<string, number>();
for (const { size, engines, workload, compiledMs } of sides) {
  const first = firstPass(workload).toFixed(0);
  console.log(
    `\n${size} policies, compiled in ${compiledMs.toFixed(0)} ms; ${mixOf(engines[0], workload)}\n` +
      `  vkit on the first 1,000 requests after compiling: ${first} decisions/s`,
  );
  for (const one of engines) {
    const rate = (one.decisions / one.ms) * 1_000;
    perSecond.set(`${one.name} ${size}`, rate);
    const p99 = quantile(one.times, 0.99) * 1_000;
    console.log(
      `  ${one.name.padEnd(18)} ${rate.toFixed(0).padStart(9)} decisions/s  p99 of a request of 8 fields ${p99.toFixed(0).padStart(8)} µs`,
    );
  }
}

const rateOf = (name: string) => perSecond.get(name) ?? 0;
const timesCasl = rateOf('vkit 1000') / rateOf('CASL 1000');
const slowdown = rateOf('vkit 100') / rateOf('vkit 10000');
console.log(
  '\nNo answer is kept by its request. vkit remembers, for at most 65,536 combinations of policies that are left for a field\n' +
    'and of how their conditions stood, what those policies come to; every request has its conditions asked anew.',
);
console.log(
  `\nvkit at 1,000 policies: ${timesCasl.toFixed(1)} times CASL (at least ${TIMES_CASL_MIN}); from 100 to 10,000 policies ${slowdown.toFixed(2)} times slower (at most ${SLOWDOWN_MAX})`,
);
process.exitCode = timesCasl >= TIMES_CASL_MIN && slowdown <= SLOWDOWN_MAX ? 0 : 1;

/** One bundle, and those that decide by it. */
function sideOf(size: number, workload: Workload) {
  const startedAt = performance.now();
  const decide = vkitOf(workload);
  const compiledMs = performance.now() - startedAt;
  const engines = [
    engine('vkit', decide),
    engine('CASL', byField(workload, caslOf(workload, { typed: false }))),
    engine('CASL, by dataset', byField(workload, caslOf(workload, { typed: true }))),
    engine('Cedar', byField(workload, cedarOf(workload))),
  ];
  return { size, workload, compiledMs, engines };
}

function vkitOf({ bundle, requests }: Workload): Engine['decide'] {
  const set = compilePolicySet(bundle);
  const inputs = requests.map((request) => inputOf(request, AT));
  return (index) => {
    const { references } = evaluate(set, inputs[index] as (typeof inputs)[number]);
    return references.flatMap(({ field, action }) => (field === null ? [] : [action]));
  };
}

/** Decisions per second where nothing was asked before: of no dataset or roles the policies are found, or put together. */
function firstPass(workload: Workload): number {
  const decide = vkitOf(workload);
  const startedAt = performance.now();
  let decisions = 0;
  for (let index = 0; index < workload.requests.length; index += 1) {
    decisions += decide(index).length;
  }
  return (decisions / (performance.now() - startedAt)) * 1_000;
}

function engine(name: string, decide: Engine['decide']): Engine {
  return { name, decide, times: [], decisions: 0, ms: 0 };
}

function byField({ requests }: Workload, decide: Decide): Engine['decide'] {
  return (index) => {
    const request = requests[index] as (typeof requests)[number];
    return request.fields.map((field) => decide(request, field));
  };
}

/** Fields come in the order of their names from vkit, and so they are asked for. */
function compare(engines: readonly Engine[], { requests }: Workload): void {
  for (let index = 0; index < COMPARED; index += 1) {
    const order = requests[index]?.fields.map(({ name }) => name) ?? [];
    const sorted = [...order].sort();
    const answers = engines.map(({ name, decide }) => {
      const actions = decide(index);
      const names = name === 'vkit' ? sorted : order;
      return [...names.map((field, at) => `${field} ${actions[at]}`)].sort().join();
    });
    if (new Set(answers).size !== 1) throw new Error(`Not all agree: ${answers.join('\n')}`);
  }
}

/** A turn of one engine, a request at least; the first warms it up and does not count. */
function run(one: Engine, requests: number, isWarmUp: boolean): void {
  const until = performance.now() + TURN_MS;
  let request = one.times.length % requests;
  for (let now = performance.now(); now < until; request = (request + 1) % requests) {
    const decided = one.decide(request).length;
    const after = performance.now();
    if (!isWarmUp) {
      one.times.push(after - now);
      one.decisions += decided;
      one.ms += after - now;
    }
    now = after;
  }
}

function mixOf(one: Engine | undefined, { requests }: Workload): string {
  const counts = new Map<string, number>();
  let all = 0;
  for (let index = 0; index < requests.length; index += 1) {
    for (const action of one?.decide(index) ?? []) {
      counts.set(action, (counts.get(action) ?? 0) + 1);
      all += 1;
    }
  }
  return [...counts]
    .map(([action, count]) => `${action} ${Math.round((count / all) * 100)}%`)
    .join(', ');
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
