import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import policySchema from '../../schemas/policy.schema.json' with { type: 'json' };
import { packageRoot } from '../../src/util/package-root.js';
import { caseFiles } from './cases.js';

describe('the case files of policies', () => {
  const schema = JSON.parse(
    readFileSync(join(packageRoot(), 'test/cases/policy/schema.json'), 'utf8'),
  );
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true })
    .addVocabulary(['patternMessage'])
    .addSchema(policySchema);
  const validate = ajv.compile(schema);

  it.each(caseFiles())('$name have the form of their schema', ({ cases }) => {
    validate({ cases });
    expect(validate.errors ?? []).toEqual([]);
  });

  it.each(caseFiles())('$name say each thing once', ({ cases }) => {
    const names = cases.map((one) => one.name);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});
