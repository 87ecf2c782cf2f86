import { VkitError } from '../errors/index.js';
import { checkSchema } from '../util/check-schema.js';
import { ROW_SECURITY, type ScannedSchema, TABLE_KINDS } from './model.js';
import { REGISTRY_LOCK_SCHEMA } from './registry-lock-schema.js';

const { field } = REGISTRY_LOCK_SCHEMA.$defs;
/** Names that no registry can hold are a scan's to leave out. */
const text = { type: 'string', maxLength: 65_536 } as const;
const names = { type: 'array', items: text, maxItems: 10_000 } as const;

/** JSON Schema (draft 2020-12) of what a scan read, as it comes from another process. Later versions may add keys. */
const SCANNED_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  required: ['server', 'defaultSchema', 'tables'],
  properties: {
    server: text,
    defaultSchema: text,
    tables: {
      type: 'array',
      items: {
        type: 'object',
        required: ['table', 'kind', 'primary_key', 'unique_keys', 'foreign_keys', 'columns'],
        properties: {
          table: {
            type: 'object',
            required: ['schema', 'name'],
            properties: { schema: text, name: text, oid: { type: 'integer' } },
          },
          kind: { enum: TABLE_KINDS },
          primary_key: names,
          unique_keys: { type: 'array', items: names },
          foreign_keys: {
            type: 'array',
            items: {
              type: 'object',
              required: ['columns', 'references'],
              properties: {
                columns: names,
                references: {
                  type: 'object',
                  required: ['schema', 'table', 'columns'],
                  properties: { schema: text, table: text, columns: names },
                },
              },
            },
          },
          definition_digest: text,
          row_security: { enum: ROW_SECURITY },
          columns: {
            type: 'array',
            items: {
              type: 'object',
              required: ['name', 'type', 'native', 'position', 'nullable'],
              properties: { ...field.properties, name: text, native: text, comment: text },
            },
          },
        },
      },
    },
    login: {
      type: 'array',
      items: {
        type: 'object',
        required: ['code', 'message', 'objects', 'count'],
        properties: {
          code: text,
          message: text,
          objects: { type: 'array', items: text },
          count: { type: 'integer' },
        },
      },
    },
  },
} as const;

/** Throws `unavailable` for what has not the form of a scan: nothing of it is merged into a registry. */
export function checkScannedSchema(value: unknown): asserts value is ScannedSchema {
  const [finding] = checkSchema(SCANNED_SCHEMA, value);
  if (!finding) return;
  throw new VkitError(
    'unavailable',
    'What the server read is not in a form that this vkit knows.',
    {
      hint: 'See that both are of the same version: vkit --version',
    },
  );
}
