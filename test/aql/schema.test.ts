import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAql } from '../../src/aql/parse-aql.js';
import { AQL_SCHEMA } from '../../src/aql/schema.js';
import { readCaseFiles } from './aql-fixtures.js';
import { almostAql } from './arbitrary-aql.js';

const validate = new Ajv2020({ allowUnionTypes: true }).compile(AQL_SCHEMA);

describe('the JSON Schema of AQL', () => {
  it('is the published file', () => {
    const published = readFileSync(
      new URL('../../schemas/aql.schema.json', import.meta.url),
      'utf8',
    );
    expect(JSON.parse(published)).toEqual(AQL_SCHEMA);
  });

  it('accepts every query of the cases', () => {
    for (const { content } of readCaseFiles()) {
      for (const { query } of content.cases) expect(validate(query)).toBe(true);
    }
  });

  it('counts the characters of names as the parser does', () => {
    for (const [name, fits] of [
      ['😀'.repeat(1024), true],
      ['😀'.repeat(1025), false],
      ['ä'.repeat(1025), false],
    ] as const) {
      const query = { source_table: name, columns: ['id'] };
      expect([validate(query), 'aql' in parseAql(query)]).toEqual([fits, fits]);
    }
  });

  it('accepts what the parser accepts, and nothing else', () => {
    const seen = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(almostAql, (input) => {
        const accepted = 'aql' in parseAql(input);
        seen[accepted ? 'accepted' : 'refused'] += 1;
        expect([input, validate(input)]).toEqual([input, accepted]);
      }),
      { numRuns: 2_000 },
    );
    expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(100);
  });
});
