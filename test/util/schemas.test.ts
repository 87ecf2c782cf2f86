import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { SHELL_SCHEMA } from '../../src/bundle/parse-bundle.js';
import { engineSchemas } from '../../src/services/load-project.js';

const folder = new URL('../../schemas/', import.meta.url);
const shipped = readdirSync(folder).map((name): [string, object] => [
  name,
  JSON.parse(readFileSync(new URL(name, folder), 'utf8')),
]);
const all: [string, object][] = [
  ...shipped,
  ...Object.entries(engineSchemas()),
  ['of the shell of a bundle', SHELL_SCHEMA],
];

/** What `checkSchema` and `checkForm` take for granted, so that they need not compare it at every start. */
describe('a JSON Schema of ours', () => {
  it.each(all)('is one, by the schema of schemas: %s', (_name, schema) => {
    const ajv = new Ajv2020({ strict: false });
    expect(ajv.validateSchema(schema), ajv.errorsText()).toBe(true);
  });

  it('would not be one with a type that does not exist', () => {
    expect(new Ajv2020({ strict: false }).validateSchema({ type: 'texts' })).toBe(false);
  });
});
