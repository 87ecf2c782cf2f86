import { describe, expect, it } from 'vitest';
import { compileBundle } from '../../src/bundle/compile-bundle.js';
import { parseRegistry } from '../../src/schema/parse-registry.js';

describe('what a scan marked as gone', () => {
  it('is not compiled, with a lock or without', () => {
    const { registry } = parseRegistry(
      `a:
  datasource: d
  fields:
    x: {type: text, sensitivity: low, category: internal}
    y: {type: text, sensitivity: low, category: internal, gone: true}
b:
  datasource: d
  gone: true
  fields:
    x: {type: text, sensitivity: low, category: internal}
`,
      'registry.yaml',
    );
    const { registry: compiled } = compileBundle({
      org: 'acme',
      commit: { sha: 'a'.repeat(40), time: '2026-01-01T00:00:00Z' },
      sequence: 1,
      expiresAt: null,
      repo: 'r',
      dirty: false,
      defaultAction: 'deny',
      installedPacks: [],
      policies: [],
      registry,
      lock: null,
      datasources: [],
    });
    expect(compiled.datasets).toMatchObject([{ name: 'a', fields: [{ name: 'x' }] }]);
    expect(compiled.datasets[0]?.fields).toHaveLength(1);
  });
});
