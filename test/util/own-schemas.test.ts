import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { SHELL_SCHEMA } from '../../src/bundle/parse-bundle.js';
import { ENGINES } from '../../src/engines/index.js';
import { packageRoot } from '../../src/util/package-root.js';

const folder = join(packageRoot(), 'schemas');
const shipped = readdirSync(folder).map((name): [string, object] => [
  name,
  JSON.parse(readFileSync(join(folder, name), 'utf8')) as object,
]);

// Nothing checks them when a command runs.
it.each<[string, object]>([
  ...shipped,
  ['the shell of a bundle', SHELL_SCHEMA],
  ...Object.entries(ENGINES).map(([name, { configSchema }]): [string, object] => [
    `the configuration of ${name}`,
    configSchema,
  ]),
])('the schema that is compiled unchecked is a JSON Schema (2020-12): %s', (_name, schema) => {
  const ajv = new Ajv2020();
  expect(ajv.validateSchema(schema), ajv.errorsText()).toBe(true);
  expect(ajv.validateSchema({ ...schema, type: 'mapping' })).toBe(false);
});
