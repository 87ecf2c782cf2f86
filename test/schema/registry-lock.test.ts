import { describe, expect, it } from 'vitest';
import type { RegistryLock } from '../../src/schema/model.js';
import {
  emptyRegistryLock,
  parseRegistryLock,
  printRegistryLock,
} from '../../src/schema/registry-lock.js';
import { NOTHING, scan, schema, table } from './scan-fixtures.js';

const SCAN = scan(
  NOTHING,
  schema(
    table('constructor', ['toString text', 'a integer null'], {
      oid: 16402,
      primary_key: ['a'],
      unique_keys: [['b', 'a'], ['a']],
      foreign_keys: [
        { columns: ['a'], references: { schema: 'public', table: 't', columns: ['id'] } },
      ],
    }),
    table('v', ['id integer'], { kind: 'view', definition_digest: 'abc' }),
  ),
);

describe('the registry lock', () => {
  it('is printed sorted, one line per field, and read back as it was', () => {
    const text = printRegistryLock(SCAN.lock);
    expect(text).toBe(`{
  "format_version": "v1",
  "datasets": {
    "constructor": {
      "datasource": "production_db",
      "kind": "table",
      "table": {"schema": "public", "name": "constructor", "oid": 16402},
      "primary_key": ["a"],
      "unique_keys": [["a"], ["b", "a"]],
      "foreign_keys": [{"columns": ["a"], "references": {"schema": "public", "table": "t", "columns": ["id"]}}],
      "fields": {
        "a": {"type": "integer", "position": 2, "nullable": true, "native": "integer"},
        "toString": {"type": "text", "position": 1, "nullable": false, "native": "text"}
      }
    },
    "v": {
      "datasource": "production_db",
      "kind": "view",
      "table": {"schema": "public", "name": "v"},
      "primary_key": [],
      "unique_keys": [],
      "foreign_keys": [],
      "definition_digest": "abc",
      "fields": {
        "id": {"type": "integer", "position": 1, "nullable": false, "native": "integer"}
      }
    }
  }
}
`);
    const { lock, problems } = parseRegistryLock(text, 'lock');
    expect(problems).toEqual([]);
    expect(lock).toEqual(SCAN.lock);
    expect(printRegistryLock(lock)).toBe(text);
  });

  it('knows no name that nobody gave it', () => {
    const { lock } = parseRegistryLock(printRegistryLock(emptyRegistryLock()), 'lock');
    expect(lock.datasets.constructor).toBeUndefined();
  });

  it.each([
    '',
    '[]',
    '{"format_version": "v2", "datasets": {}}',
    '{"format_version": "v1", "datasets": {"a": {"datasource": "d"}}}',
    '<<<<<<< HEAD',
  ])('is refused with the way out where it is damaged: %s', (text) => {
    const { lock, problems } = parseRegistryLock(text, 'lock');
    expect(lock).toEqual<RegistryLock>(emptyRegistryLock());
    expect(problems[0]?.suggestion).toContain('run the scan again');
  });
});
