import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type CompileInput, compileBundle } from '../../src/bundle/compile-bundle.js';
import { type ParsedBundle, parseBundle } from '../../src/bundle/parse-bundle.js';
import { signBundle } from '../../src/bundle/sign-bundle.js';

/** A small shop: one datasource, two datasets, two policies. */
export function sampleInput(): CompileInput {
  const field = (
    type: string,
    sensitivity: 'low' | 'medium',
    category: string,
    tags: string[] = [],
  ) => ({ type, sensitivity, category, tags });
  const column = (type: string, position: number) => ({ type, position, nullable: position > 1 });
  const table = {
    kind: 'table',
    unique_keys: [],
    foreign_keys: [],
    primary_key: ['id'],
    datasource: 'production_db',
  } as const;
  return {
    org: 'acme',
    commit: { sha: 'a'.repeat(40), time: '2026-03-01T10:00:00Z' },
    sequence: 412,
    expiresAt: null,
    repo: 'github.com/acme/policies',
    dirty: false,
    defaultAction: 'deny',
    installedPacks: [{ name: 'starter', version: '1.0.0', checksum: 'b'.repeat(64) }],
    policies: [
      {
        id: 'allow_low',
        match: { fields: { sensitivity: 'low' } },
        when: {},
        action: 'allow',
        ttl_seconds: 3600,
        priority: 110,
      },
      {
        id: 'mask_pii',
        description: 'PII is hidden',
        match: { fields: { contains: ['pii'] } },
        when: {},
        action: 'mask',
        masking: { default_method: 'full' },
        priority: 150,
      },
    ],
    registry: new Map([
      [
        'orders',
        {
          datasource: 'production_db',
          fields: new Map([['id', field('integer', 'low', 'internal')]]),
        },
      ],
      [
        'customers',
        {
          datasource: 'production_db',
          fields: new Map([
            ['id', field('integer', 'low', 'internal')],
            ['email', field('text', 'medium', 'pii', ['contact', 'b2c'])],
          ]),
        },
      ],
    ]),
    lock: {
      format_version: 'v1',
      datasets: {
        customers: {
          ...table,
          table: { schema: 'public', name: 'customers', oid: 16402 },
          fields: { id: column('integer', 1), email: column('text', 2) },
        },
        orders: {
          ...table,
          table: { schema: 'public', name: 'orders' },
          fields: { id: column('integer', 1) },
        },
      },
    },
    datasources: [
      {
        name: 'production_db',
        type: 'postgres',
        environment: 'production',
        region: 'US',
        config: { host: 'db.internal', port: 5432 },
        credentials: 'env',
      },
    ],
  };
}

export type Pair = { privateKey: KeyObject; publicKey: KeyObject };

export function ed25519(): Pair {
  return generateKeyPairSync('ed25519');
}

export async function signedSample(
  keys: Pair,
  change: Partial<CompileInput> = {},
): Promise<unknown> {
  const bundle = compileBundle({ ...sampleInput(), ...change });
  return JSON.parse(JSON.stringify(await signBundle(bundle, keys.privateKey, keys.publicKey)));
}

export function parsed(document: unknown): ParsedBundle {
  const result = parseBundle(document);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result;
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
