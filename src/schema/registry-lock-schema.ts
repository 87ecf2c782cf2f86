import { ROW_SECURITY, TABLE_KINDS } from './model.js';

const text = { type: 'string', minLength: 1, maxLength: 512 } as const;
const names = { type: 'array', items: text, maxItems: 1_000 } as const;

/** JSON Schema (draft 2020-12) of `config/registry.lock.json`. Later versions may add keys to fields and datasets. */
export const REGISTRY_LOCK_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'vkit registry lock, format v1',
  type: 'object',
  required: ['format_version', 'datasets'],
  additionalProperties: false,
  properties: {
    format_version: { const: 'v1' },
    datasets: { type: 'object', additionalProperties: { $ref: '#/$defs/dataset' } },
  },
  $defs: {
    dataset: {
      type: 'object',
      required: [
        'datasource',
        'kind',
        'table',
        'primary_key',
        'unique_keys',
        'foreign_keys',
        'fields',
      ],
      properties: {
        datasource: text,
        kind: { enum: TABLE_KINDS },
        table: {
          type: 'object',
          required: ['schema', 'name'],
          properties: {
            schema: { type: 'string', maxLength: 512 },
            name: text,
            oid: { type: 'integer' },
          },
        },
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
                properties: { schema: { type: 'string' }, table: text, columns: names },
              },
            },
          },
        },
        definition_digest: { type: 'string' },
        definition: { type: 'string' },
        row_security: { enum: ROW_SECURITY },
        fields: { type: 'object', additionalProperties: { $ref: '#/$defs/field' } },
      },
    },
    field: {
      type: 'object',
      required: ['type', 'position', 'nullable'],
      properties: {
        type: text,
        position: { type: 'integer', minimum: 1 },
        number: { type: 'integer', minimum: 1 },
        nullable: { type: 'boolean' },
        generated: { type: 'boolean' },
        native: { type: 'string' },
        default_digest: { type: 'string' },
        comment_digest: { type: 'string' },
        texts: {
          type: 'object',
          properties: { default: { type: 'string' }, comment: { type: 'string' } },
        },
      },
    },
  },
} as const;
