import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { classifyField } from '../../src/schema/classification/index.js';

const PRECISION_MIN = 0.95;
const RECALL_MIN = 0.9;

type Label = { dataset: string; name: string; type: string; classification: string };
type Score = { right: number; predicted: number; labelled: number };

const labels: Label[] = (
  parse(
    readFileSync(new URL('./classification-labelled.yaml', import.meta.url), 'utf8'),
  ) as string[][]
).map(([dataset, name, type, classification]) => ({
  dataset: String(dataset),
  name: String(name),
  type: String(type),
  classification: String(classification),
}));

/** FNV-1a over the name in lower case: the same name is in the same half whatever its dataset. */
function halfOf(name: string): 'build' | 'measure' {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name.toLowerCase())) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  // The lowest bit of FNV-1a is the parity of the bytes; a higher one mixes them.
  return (hash >>> 16) % 2 === 0 ? 'build' : 'measure';
}

/** Per class, and `all` over every class but `generic`, which would only flatter the sum. */
function scoresOf(half: readonly Label[]): Map<string, Score> {
  const scores = new Map<string, Score>();
  const add = (name: string, key: keyof Score) => {
    for (const row of name === 'generic' ? [name] : [name, 'all']) {
      const score = scores.get(row) ?? { right: 0, predicted: 0, labelled: 0 };
      score[key] += 1;
      scores.set(row, score);
    }
  };
  for (const label of half) {
    const found = classifyField(label).classification;
    add(label.classification, 'labelled');
    add(found, 'predicted');
    if (found === label.classification) add(found, 'right');
  }
  return scores;
}

const precision = (score: Score) => (score.predicted === 0 ? 1 : score.right / score.predicted);
const recall = (score: Score) => (score.labelled === 0 ? 1 : score.right / score.labelled);

function table(scores: ReadonlyMap<string, Score>): string {
  const rows = [...scores].sort(([a], [b]) => a.localeCompare(b));
  return rows
    .map(([name, score]) => {
      const numbers = `${precision(score).toFixed(3)}      ${recall(score).toFixed(3)}`;
      return `${name.padEnd(16)}${numbers}   ${String(score.labelled).padStart(4)}`;
    })
    .join('\n');
}

test('the labelled set is large, in halves of a size, and contradicts itself nowhere', () => {
  const build = labels.filter((label) => halfOf(label.name) === 'build').length;
  expect(labels.length).toBeGreaterThan(900);
  expect(build / labels.length).toBeGreaterThan(0.4);
  expect(build / labels.length).toBeLessThan(0.6);
  const keys = labels.map((label) => `${label.dataset}.${label.name}`);
  expect(new Set(keys).size).toBe(keys.length);
});

test.each(['build', 'measure'] as const)(
  'the %s half is classified with the precision and recall that is promised',
  (half) => {
    const scores = scoresOf(labels.filter((label) => halfOf(label.name) === half));
    process.stdout.write(`\n${half} half     precision  recall  columns\n${table(scores)}\n`);
    const all = scores.get('all');
    if (all === undefined) throw new Error('The labelled set is empty.');
    expect(precision(all)).toBeGreaterThanOrEqual(PRECISION_MIN);
    expect(recall(all)).toBeGreaterThanOrEqual(RECALL_MIN);
  },
);
