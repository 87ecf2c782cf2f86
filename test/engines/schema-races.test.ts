import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { enginesUnderTest } from '../conformance/engines.js';
import { casesOfRun, seedOfRun } from '../helpers/property-runs.js';
import {
  attempt,
  CHANGES,
  type Change,
  MAKE,
  RIGHT,
  swapBelowView,
  VIEWS,
  withWorld,
} from './changing-schema.js';

const CHANGED = { code: 'schema_changed' };

for (const engine of Object.values(enginesUnderTest)) {
  const title = engine.skipped ? `${engine.name} (skipped: ${engine.skipped})` : engine.name;
  const changes = CHANGES[engine.name];

  describe.skipIf(engine.skipped !== null)(`another session changes the schema, ${title}`, () => {
    const CASES: Record<string, { dataset: string; sql?: string; change: Change }> = {
      'two columns swapped': { dataset: 'people', change: changes.swap },
      'two tables exchanged': { dataset: 'people', change: changes.exchange },
      'two columns swapped below a view': {
        dataset: 'shown',
        sql: `${MAKE};${VIEWS}`,
        change: swapBelowView(engine.name),
      },
      'two columns swapped below a view on a view': {
        dataset: 'outer_shown',
        sql: `${MAKE};${VIEWS}`,
        change: swapBelowView(engine.name),
      },
      'a view redefined': { dataset: 'shown', sql: `${MAKE};${VIEWS}`, change: changes.redefine },
      'a view below a view redefined': {
        dataset: 'outer_shown',
        sql: `${MAKE};${VIEWS}`,
        change: changes.redefine,
      },
      // The views of PostgreSQL stand on a table, and not on its name.
      ...(engine.name !== 'postgres' && {
        'two tables exchanged below a view': {
          dataset: 'shown',
          sql: `${MAKE};${VIEWS}`,
          change: changes.exchange,
        },
      }),
    };

    for (const [what, { dataset, sql = MAKE, change }] of Object.entries(CASES)) {
      it(`${what}: refused until it is put right`, () =>
        withWorld(
          engine,
          async ({ ask, other }) => {
            const query = await ask(dataset);
            expect(await query()).toEqual({ rows: RIGHT });
            await other.run(change.there);
            expect(await query()).toEqual(CHANGED);
            await other.run(change.back);
            expect(await query()).toEqual({ rows: RIGHT });
          },
          { sql },
        ));

      if (dataset === 'outer_shown') continue;
      it(`${what}, hundreds of times while it is asked`, { timeout: 120_000 }, () =>
        withWorld(
          engine,
          async ({ ask, other }) => {
            const seed = seedOfRun();
            const random = randomOf(seed);
            const queries = [await ask(dataset, 10), await ask(dataset)];
            const rounds = casesOfRun(200);
            const counts: Record<string, number> = {};
            let isOver = false;
            let changesMade = 0;
            const changing = (async () => {
              for (let at = 0; !isOver; at += 1) {
                const step = at % 2 === 0 ? change.there : change.back;
                while ((await attempt(other, step)) === 'refused') await delay(1);
                changesMade += 1;
                await delay(random() * 4);
              }
            })();
            let asked = 0;
            const asking = async (): Promise<void> => {
              for (; asked < rounds || !isBoth(counts); ) {
                if (asked > rounds * 20) return;
                const outcome = await queries[asked++ % queries.length]?.();
                if (outcome === undefined) continue;
                if ('rows' in outcome) expect(outcome.rows, `seed ${seed}`).toEqual(RIGHT);
                const name = 'code' in outcome ? outcome.code : 'rows';
                counts[name] = (counts[name] ?? 0) + 1;
              }
            };
            try {
              await Promise.all([asking(), asking(), asking()]);
            } finally {
              isOver = true;
              await changing;
            }
            process.stdout.write(
              `${engine.name}, ${what}: ${JSON.stringify(counts)}, ${changesMade} changes, seed ${seed}\n`,
            );
            expect(Object.keys(counts).sort().join()).toMatch(
              /^(query_timeout,)?rows,schema_changed$/,
            );
          },
          { sql },
        ),
      );
    }
  });
}

function isBoth({ rows, schema_changed }: Record<string, number>): boolean {
  return rows !== undefined && schema_changed !== undefined;
}

/** Numbers in [0, 1) from a seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
