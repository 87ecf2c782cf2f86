import type { Problem } from '../../../src/errors/index.js';
import { VkitError } from '../../../src/errors/index.js';
import { type TestCase, visibilityKey, worldOf } from '../../aql/differential/arbitrary-case.js';
import { type Fault, type RealAnswer, TEST_TOKENS } from '../../aql/differential/real-answer.js';
import { type Ground, withTheseTables } from '../../aql/differential/with-tables.js';
import { domainOf } from '../../aql/reference/names.js';
import type { EngineUnderTest } from '../../conformance/engine-ground.js';
import { otherOf, type Twins } from './arbitrary-twins.js';
import { sha256 } from './renaming.js';

/** What a requester can tell of an answer. */
export type Seen =
  | { problems: readonly Problem[]; codes: readonly string[] }
  | { failed: Pick<VkitError, 'code' | 'message' | 'hint'>; cause: string }
  | { columns: unknown; rows: readonly (readonly string[])[]; truncated: boolean; sql: string };

/** Two databases that stand, and what the one has in the place of the hashes and tokens of the other. */
export interface TwinGround {
  twins: Twins;
  /** The first twin. */
  ground: Ground;
  ask(twin: 'one' | 'other', query: unknown, one: TestCase, fault?: Fault): Promise<Seen>;
  /** Hashes and tokens of the first twin, and of the other. */
  names: ReadonlyMap<string, string>;
}

/** Makes both twins in an engine. */
export async function withTwins(
  under: EngineUnderTest,
  twins: Twins,
  use: (ground: TwinGround) => Promise<void>,
): Promise<void> {
  await withTheseTables(under, twins.tables, (one) =>
    withTheseTables(under, otherOf(twins), (other) => {
      const grounds = { one, other };
      return use({
        twins,
        ground: one,
        names: namesOf(twins, one),
        async ask(twin, query, testCase, fault) {
          const { ask, datasets, profile } = grounds[twin];
          const world = worldOf(testCase, datasets, profile);
          return ask(query, world, fault).then(seenOf, failureOf);
        },
      });
    }),
  );
}

function seenOf(answer: RealAnswer): Seen {
  return 'refused' in answer
    ? { codes: answer.refused, problems: answer.problems }
    : { ...answer, columns: [...answer.columns] };
}

function failureOf(error: unknown): Seen {
  if (!(error instanceof VkitError)) throw error;
  const { code, message, hint } = error;
  const { cause } = error;
  return {
    failed: { code, message, hint },
    cause: cause instanceof Error ? cause.message : String(cause),
  };
}

function namesOf({ renamings, differences }: Twins, { datasets }: Ground): Map<string, string> {
  const names = new Map<string, string>();
  for (const [text, other] of Object.entries(renamings.hash)) {
    names.set(sha256(text), sha256(other));
  }
  for (const { name: dataset, fields } of datasets) {
    for (const { name, classification } of fields) {
      if (differences[visibilityKey(dataset, name)]?.of !== 'token') continue;
      const domain = domainOf(dataset, name, classification);
      for (const [text, other] of Object.entries(renamings.token)) {
        names.set(TEST_TOKENS.seal(text, domain), TEST_TOKENS.seal(other, domain));
      }
    }
  }
  return names;
}
