import { afterAll, describe, expect, it } from 'vitest';
import { cellsOf } from '../aql/differential/cells.js';
import { type Comparison, compareEngine } from '../aql/differential/compare-engine.js';
import { AqlCoverage } from '../aql/differential/coverage.js';
import { ENGINE_PROFILES } from '../aql/differential/engine-profile.js';
import { enginesUnderTest } from '../conformance/engines.js';
import { casesOfRun, seedOfRun } from '../helpers/property-runs.js';

const CASES_DEFAULT = 3_000;
const CASES = casesOfRun(CASES_DEFAULT);
const SEED = seedOfRun();
/** A tenth of it is enough on a machine with nothing else to do. */
const CASE_MS_MAX = 60;
const REPLAY = `VKIT_SEED=${SEED} VKIT_RUNS=${CASES} npx vitest run test/properties/aql-differential.test.ts`;

for (const under of Object.values(enginesUnderTest)) {
  const title = under.skipped ? `${under.name} (skipped: ${under.skipped})` : under.name;

  describe.skipIf(under.skipped !== null)(`${title} and the reference (seed ${SEED})`, () => {
    const coverage = new AqlCoverage(cellsOf(ENGINE_PROFILES[under.name]));
    let result: Comparison | undefined;

    afterAll(() => {
      if (result === undefined) return;
      const { cases, schemas, withRows, refused } = result;
      const heading = `${under.name}: ${cases} cases over ${schemas} schemas, ${withRows} with rows, ${refused} refused; to repeat: ${REPLAY}`;
      process.stdout.write(`\n${heading}\n${coverage.table()}\n`);
    });

    it('answer alike', { timeout: CASES * CASE_MS_MAX }, async () => {
      result = await compareEngine(under, {
        seed: SEED,
        count: CASES,
        coverage,
      });
      const found = result.disagreements.map((one) => `${one}\nTo see it again: ${REPLAY}`);
      expect(found.join('\n\n')).toBe('');
    });

    it.runIf(CASES >= CASES_DEFAULT)('were compared on all that a query can say', () => {
      expect(coverage.unexpected).toEqual([]);
      expect(coverage.missing).toEqual([]);
      expect(result?.withRows).toBeGreaterThanOrEqual(CASES / 2);
    });
  });
}
