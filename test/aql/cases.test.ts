import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { buildPlan, type PlannedQuery } from '../../src/aql/build-plan.js';
import { expandStar } from '../../src/aql/expand-star.js';
import type { BoundValue } from '../../src/aql/expression.js';
import { parseAql } from '../../src/aql/parse-aql.js';
import { renderPlan } from '../../src/aql/render.js';
import { resolveAql } from '../../src/aql/resolve.js';
import type { ResolvedQuery } from '../../src/aql/resolved-query.js';
import { bigqueryDialect } from '../../src/engines/bigquery/dialect.js';
import { mysqlDialect } from '../../src/engines/mysql/dialect.js';
import { postgresDialect } from '../../src/engines/postgres/dialect.js';
import { snowflakeDialect } from '../../src/engines/snowflake/dialect.js';
import { sqliteDialect } from '../../src/engines/sqlite/dialect.js';
import {
  type AqlCase,
  type ExpectedSql,
  plainTokens,
  readCaseFiles,
  readCaseSchema,
  shopCatalog,
  visibilityOf,
} from './aql-fixtures.js';

const catalog = shopCatalog();

function resolve(one: AqlCase): ResolvedQuery {
  const parsed = parseAql(one.query);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const visibility = visibilityOf(one.visibility);
  return expandStar(
    resolveAql(parsed.aql, catalog),
    (dataset, field) => visibility(dataset, field).state !== 'hidden',
  );
}

function plan(one: AqlCase): ReturnType<typeof buildPlan> {
  const limits = one.limits ?? { maxRows: null };
  return buildPlan({
    resolved: resolve(one),
    visibility: visibilityOf(one.visibility),
    limits,
    tokens: plainTokens,
  });
}

function planned(one: AqlCase): PlannedQuery {
  const result = plan(one);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result;
}

function written(value: BoundValue): unknown {
  return value instanceof Uint8Array ? { bytes: Buffer.from(value).toString('base64') } : value;
}

function problemsOf(one: AqlCase): { pointer?: string; code: string }[] {
  const resolved = resolve(one);
  if (resolved.problems.length > 0) return resolved.problems.map(pointerAndCode);
  const result = plan(one);
  return 'problems' in result ? result.problems.map(pointerAndCode) : [];
}

function pointerAndCode({ pointer, code }: { pointer?: string; code: string }) {
  return { pointer, code };
}

for (const { file, content } of readCaseFiles()) {
  describe(`cases of ${file}`, () => {
    it('have the form of the cases', () => {
      const validate = new Ajv2020({ allowUnionTypes: true }).compile(readCaseSchema());
      expect(validate(content) ? [] : validate.errors).toEqual([]);
    });

    it.each(content.cases.map((one) => [one.name, one] as const))('%s', (_name, one) => {
      if (one.references) {
        const { references } = resolve(one);
        const names = references.map(({ dataset, field }) =>
          field === null ? dataset : `${dataset}.${field}`,
        );
        expect(names).toEqual(one.references);
      }
      if (one.unknown) expect(resolve(one).unknown).toEqual(one.unknown);
      if (one.problems) expect(problemsOf(one)).toEqual(one.problems);
      if (one.throws)
        expect(() => plan(one)).toThrow(expect.objectContaining({ code: one.throws }));
      if (one.rows) expect(planned(one)).toMatchObject(one.rows);
      for (const dialect of [
        postgresDialect,
        sqliteDialect,
        mysqlDialect,
        snowflakeDialect,
        bigqueryDialect,
      ]) {
        const expected = one[dialect.name as keyof ExpectedSql];
        if (expected === undefined) continue;
        if ('unsupported' in expected) {
          const error = { code: 'unsupported', message: expected.unsupported };
          expect(() => renderPlan(planned(one).plan, dialect)).toThrow(
            expect.objectContaining(error),
          );
          continue;
        }
        const compiled = renderPlan(planned(one).plan, dialect);
        expect(compiled.sql).toBe(expected.sql);
        expect(compiled.params.map(written)).toEqual(expected.params ?? []);
        expect(planned(one).plan.outputs.map(({ column }) => column)).toEqual(one.columns);
      }
    });
  });
}
