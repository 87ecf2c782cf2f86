import { afterAll, describe, expect, it } from 'vitest';
import { AqlCoverage } from '../aql/differential/coverage.js';
import { enginesUnderTest } from '../conformance/engines.js';
import { casesOfRun, seedOfRun } from '../helpers/property-runs.js';
import { CELLS } from '../masking/twins/note-clauses.js';
import { runTwins, type TwinRun } from '../masking/twins/run-twins.js';

const CASES_DEFAULT = 2_000;
const CASES = casesOfRun(CASES_DEFAULT);
const SEED = seedOfRun();
/** A tenth of it is enough on a machine with nothing else to do. */
const CASE_MS_MAX = 120;
const CASES_PER_CELL_MIN = 100;
/** These are refused whatever else the query says. */
const REFUSED = ['join pair / full', 'join pair / nullify'];
const REFUSALS_PER_CELL_MIN = 25;
/** So many times the cases at most. */
const MORE_MAX = 2;
const REPLAY = `VKIT_SEED=${SEED} VKIT_RUNS=${CASES} npx vitest run test/properties/masking-twins.test.ts`;

for (const under of Object.values(enginesUnderTest)) {
  const title = under.skipped ? `${under.name} (skipped: ${under.skipped})` : under.name;

  describe.skipIf(under.skipped !== null)(`twins on ${title} (seed ${SEED})`, () => {
    const coverage = new AqlCoverage(CELLS);
    let run: TwinRun | undefined;

    afterAll(() => {
      if (run === undefined) return;
      const { cases, schemas, withRows, refused, failed } = run;
      const heading = `${under.name}: ${cases} cases over ${schemas} pairs of databases, ${withRows} with rows, ${refused} refused, ${failed} failed; to repeat: ${REPLAY}`;
      process.stdout.write(`\n${heading}\n${coverage.table()}\n`);
    });

    it('cannot be told apart', { timeout: CASES * CASE_MS_MAX }, async () => {
      // What chance has left rare is asked more often before it counts as missing.
      const goesOn = ({ cases }: TwinRun) =>
        cases < CASES ||
        (CASES >= CASES_DEFAULT && cases < CASES * MORE_MAX && rareCells(coverage).length > 0);
      run = await runTwins(under, { seed: SEED, coverage, goesOn });
      const howTo = `To see it again, put this line in a file, and: npm run fuzz -- --replay FILE`;
      const { found } = run;
      expect(found?.difference, `${howTo}\n${JSON.stringify(found)}\n`).toBeUndefined();
    });

    it.runIf(CASES >= CASES_DEFAULT)('were asked everything behind every mask', () => {
      expect(rareCells(coverage).map((cell) => `${cell}: ${coverage.countOf(cell)}`)).toEqual([]);
      expect(run?.withRows).toBeGreaterThanOrEqual(CASES / 2);
    });
  });
}

function rareCells(coverage: AqlCoverage): string[] {
  return CELLS.filter((cell) => {
    const least = REFUSED.includes(cell) ? REFUSALS_PER_CELL_MIN : CASES_PER_CELL_MIN;
    return coverage.countOf(cell) < least;
  });
}
