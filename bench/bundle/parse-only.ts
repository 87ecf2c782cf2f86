// The least that whoever compiles these files has to do: read each, and parse it with the parser that vkit uses.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';

const root = process.argv[2] ?? '.';
const policies = join(root, 'config/policies');

for (const name of readdirSync(policies)) parse(readFileSync(join(policies, name), 'utf8'), 'core');
parse(readFileSync(join(root, 'config/registry.yaml'), 'utf8'), 'failsafe');

function parse(text: string, schema: 'core' | 'failsafe'): unknown {
  const options = {
    version: '1.2',
    schema,
    prettyErrors: false,
    lineCounter: new LineCounter(),
  } as const;
  return parseDocument(text, options).toJS();
}
