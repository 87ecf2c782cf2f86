import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { signBundle } from '../../src/bundle/sign-bundle.js';
import { compileGround } from '../helpers/governed.js';
import { sqliteShop } from '../helpers/shop.js';
import type { AtTheEnd } from '../helpers/temporary-folder.js';
import { callServer, type Traffic } from './crash-client.js';
import { type ServeOptions, startServe } from './serve-process.js';

const PASSWORD = 'correct horse battery staple';

export interface SetUp {
  options: ServeOptions;
  admin: string;
  agents: string[];
  /** Holds the role finance. */
  approver: string;
}

export interface SetUpInput {
  policies: readonly string[];
  agents: number;
  /** Rows in orders. */
  rows: number;
  atTheEnd?: AtTheEnd;
  /** The state in PostgreSQL; absent: in the data directory. */
  databaseUrl?: string;
}

/** A shop, a signed bundle deployed to a first server, and everybody's tokens; that server is killed at the end. */
export async function setUpServer(input: SetUpInput): Promise<SetUp> {
  const last = 1000 + input.rows - 4;
  const more = `with recursive n(i) as (select 1000 union all select i + 1 from n where i < ${last})
    insert into orders select i, 1, i, null from n;`;
  const ground = await sqliteShop({ sql: more }, input.atTheEnd);
  const folder = dirname(ground.path);
  const keys = generateKeyPairSync('ed25519');
  const publicKeyFile = join(folder, 'vkit_pub.pem');
  await writeFile(publicKeyFile, keys.publicKey.export({ format: 'pem', type: 'spki' }));
  const bundle = await signBundle(
    await compileGround(ground, input.policies, 1),
    keys.privateKey,
    keys.publicKey,
  );
  const options: ServeOptions = {
    cwd: folder,
    dataDir: join(folder, 'state'),
    publicKeyFile,
    adminPassword: PASSWORD,
    ...(input.databaseUrl === undefined ? {} : { databaseUrl: input.databaseUrl }),
  };
  const server = await startServe(options);
  try {
    const logIn = async (email: string) => {
      const path = '/auth/login';
      const body = { email, password: PASSWORD };
      return (await callServer<{ token: string }>(idle(server.url), 'none', 'POST', path, body))
        .body.token;
    };
    const admin = await logIn('admin@acme.test');
    const post = <T>(path: string, body: object) =>
      callServer<T>(idle(server.url), admin, 'POST', `/orgs/acme${path}`, body);
    await post('/policy_bundles', { bundle });
    const finance = { email: 'finance@acme.test', password: PASSWORD, roles: ['finance'] };
    await post('/users', finance);
    const agents: string[] = [];
    for (let number = 0; number < input.agents; number += 1) {
      const made = await post<{ token: string }>('/agent_tokens', { name: `agent ${number}` });
      agents.push(made.body.token);
    }
    return { options, admin, agents, approver: await logIn(finance.email) };
  } finally {
    await server.kill();
  }
}

export function idle(url: string): Traffic {
  return { url, inFlight: 0, answered: 0, stopped: false };
}
