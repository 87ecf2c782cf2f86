import { describe, expect, it } from 'vitest';
import { bundleChecksum } from '../../src/bundle/canonicalise.js';
import { compileBundle } from '../../src/bundle/compile-bundle.js';
import { parseBundle, parseBundleText } from '../../src/bundle/parse-bundle.js';
import { verifyBundle } from '../../src/bundle/verify-bundle.js';
import { parsed, sampleInput } from './sample.js';

// biome-ignore lint/suspicious/noExplicitAny: tests break documents in ways no type allows.
type Loose = any;

function sample(change: (document: Loose) => void = () => undefined): Loose {
  const document = JSON.parse(JSON.stringify(compileBundle(sampleInput())));
  change(document);
  return document;
}

function problemsOf(change: (document: Loose) => void) {
  const result = parseBundle(sample(change));
  return 'problems' in result
    ? result.problems.map(({ pointer, code }) => `${pointer} ${code}`)
    : [];
}

/** What another tool writes: no key that only vkit has. */
function older(): Loose {
  return {
    bundle: {
      format_version: 'v1',
      org_slug: 'acme',
      bundle_version: 'abc',
      created_at: '2026-01-01T00:00:00Z',
      source: { type: 'git', repo: 'acme/policies', commit_sha: 'abc' },
      checksum: '0'.repeat(64),
    },
    registry: {
      datasets: [
        {
          name: 'customers',
          datasource: 'db',
          fields: [{ name: 'email', type: 'string', sensitivity: 'medium', tags: null }],
        },
      ],
      datasources: [{ name: 'db', type: 'postgres', environment: 'production' }],
    },
    policies: [
      {
        id: 'p',
        match: { dataset: 'customers' },
        action: 'mask',
        masking: { default_method: 'redact' },
        approval: null,
        ttl_seconds: '4h',
      },
      { id: 'q', action: 'mask' },
    ],
    signing: null,
  };
}

describe('parseBundle', () => {
  it.each(['[', '{"a":'])('refuses what is nested beyond all measure: %s', (opening) => {
    const depth = 50_000;
    const closing = opening === '[' ? ']' : '}';
    const nested = JSON.parse(`${opening.repeat(depth)}null${closing.repeat(depth)}`);
    const document = { ...older(), policies: [{ id: 'a', description: nested }] };
    expect(parseBundle(document)).toMatchObject({ problems: [{ code: 'limit_exceeded' }] });
  });

  it('fills in what an older bundle leaves out, on the closed side', () => {
    const { bundle } = parsed(older());
    expect(bundle.bundle).toMatchObject({
      sequence: 0,
      expires_at: null,
      default_action: 'deny',
      installed_packs: [],
    });
    expect(bundle.policies).toEqual([
      {
        id: 'p',
        match: { dataset: 'customers' },
        when: {},
        action: 'mask',
        masking: { default_method: 'full' },
        ttl_seconds: 14_400,
        priority: 0,
      },
      {
        id: 'q',
        match: {},
        when: {},
        action: 'mask',
        masking: { default_method: 'full' },
        priority: 0,
      },
    ]);
    expect(bundle.registry.datasets[0]).toEqual({
      name: 'customers',
      datasource: 'db',
      table: { schema: '', name: 'customers' },
      fields: [{ name: 'email', type: 'string', sensitivity: 'medium' }],
    });
    expect(bundle.registry.datasources[0]).toEqual({
      name: 'db',
      type: 'postgres',
      environment: 'production',
      region: null,
      config: {},
    });
  });

  it('keeps the document as received for the checksum', async () => {
    const document = older();
    document.bundle.checksum = bundleChecksum(document);
    const result = parsed(document);
    await verifyBundle(result, {
      trustedKeys: [],
      org: 'acme',
      now: new Date(),
      allowUnsigned: true,
    });
    expect(result.bundle.policies[0]?.ttl_seconds).toBe(14_400);
  });

  it.each<[string, (document: Loose) => void, string]>([
    [
      'an unknown key at the top',
      (d) => {
        d.extra = 1;
      },
      '/extra unknown_key',
    ],
    [
      'an unknown condition, which would otherwise be skipped',
      (d) => {
        d.policies[0].when = { requester_planet: 'Mars' };
      },
      '/policies/0/when/requester_planet',
    ],
    [
      'an unknown operator',
      (d) => {
        d.policies[0].when = { environment: { not: 'x' } };
      },
      '/policies/0/when/environment',
    ],
    [
      'an unknown action',
      (d) => {
        d.policies[0].action = 'permit';
      },
      '/policies/0/action',
    ],
    [
      'an unknown mask',
      (d) => {
        d.policies[0].masking.default_method = 'blur';
      },
      '/policies/0/masking/default_method',
    ],
    [
      'an approval without an approver',
      (d) => {
        d.policies[0].action = 'require_approval';
      },
      '/policies/0/action',
    ],
    [
      'an unknown sensitivity',
      (d) => {
        d.registry.datasets[0].fields[0].sensitivity = 'none';
      },
      '/registry/datasets/0/fields/0/sensitivity wrong_value',
    ],
    [
      'a sequence that is no whole number',
      (d) => {
        d.bundle.sequence = 1.5;
      },
      '/bundle/sequence wrong_type',
    ],
    [
      'another format',
      (d) => {
        d.bundle.format_version = 'v2';
      },
      '/bundle/format_version wrong_value',
    ],
    [
      'two policies of one id',
      (d) => {
        d.policies[1].id = d.policies[0].id;
      },
      '/policies/1 duplicate',
    ],
    [
      'two fields of one name',
      (d) => {
        d.registry.datasets[0].fields[1].name = 'email';
      },
      '/registry/datasets/0/fields/1 duplicate',
    ],
    [
      'a dataset without its datasource',
      (d) => {
        d.registry.datasources = [];
      },
      '/registry/datasets/0/datasource unknown_datasource',
    ],
    [
      'a password in a configuration',
      (d) => {
        d.registry.datasources[0].config.password = 'hunter2';
      },
      '/registry/datasources/0/config/password secret_inline',
    ],
    [
      'a duration beyond any use',
      (d) => {
        d.policies[0].ttl_seconds = '999999999d';
      },
      '/policies/0/ttl_seconds',
    ],
  ])('refuses %s', (_name, change, problem) => {
    expect(problemsOf(change).filter((found) => found.startsWith(problem))).toHaveLength(1);
  });

  it.each([[null], [[]], ['{}'], [1], [{}]])('refuses %j, which is no bundle', (value) => {
    expect(parseBundle(value)).toHaveProperty('problems');
  });

  it('reports every problem at once and repeats no value', () => {
    const result = parseBundle(
      sample((d) => {
        d.extra = 'hunter2';
        d.policies[0].action = 'hunter2';
        d.bundle.sequence = -1;
      }),
    );
    expect('problems' in result && result.problems.length).toBe(3);
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });
});

describe('parseBundleText', () => {
  it('refuses a key that stands twice, of which a checksum covers only the one that is read', () => {
    const text = JSON.stringify(sample());
    expect('problems' in parseBundleText(text)).toBe(false);
    const twice = text.replace('"registry":', '"registry":{"datasets":[]},"registry":');
    expect(parseBundle(JSON.parse(twice))).toHaveProperty('bundle');
    expect(parseBundleText(twice)).toEqual({
      problems: [
        {
          pointer: '/registry',
          code: 'duplicate_key',
          message: 'The key /registry stands there twice.',
        },
      ],
    });
  });
});
