import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { mysql } from '../../../src/engines/mysql/index.js';
import { hasOpenssl, makeCertificate } from '../../helpers/certificate.js';
import { withTemporaryFolder } from '../../helpers/temporary-folder.js';
import {
  greeting,
  OK,
  type Peer,
  type Script,
  switchTo,
  withServer,
  withTlsServer,
} from './rogue-server.js';

const PASSWORD = 's3cret-passw0rd';
/** What a client sends that asks for a key to encrypt its password with. */
const KEY_REQUESTS = [Buffer.from([1]), Buffer.from([2])];

/** A server that wants the password itself, by each way that MySQL has for it. */
const SCRIPTS: Record<string, Script> = {
  'greets with mysql_clear_password': async (peer) => {
    peer.send(greeting('mysql_clear_password'));
    await peer.next();
    peer.send(switchTo('mysql_clear_password'));
    await peer.next();
  },
  'switches to mysql_clear_password': async (peer) => {
    peer.send(greeting('mysql_native_password'));
    await peer.next();
    peer.send(switchTo('mysql_clear_password'));
    await peer.next();
  },
  'switches to sha256_password': async (peer) => {
    peer.send(greeting('mysql_native_password'));
    await peer.next();
    peer.send(switchTo('sha256_password'));
    await refuseKey(peer);
  },
  'greets with sha256_password': async (peer) => {
    peer.send(greeting('sha256_password'));
    await peer.next();
    peer.send(switchTo('sha256_password'));
    await refuseKey(peer);
  },
  'asks caching_sha2_password for more than a proof': async (peer) => {
    peer.send(greeting('caching_sha2_password'));
    await peer.next();
    peer.send(switchTo('caching_sha2_password'));
    await peer.next();
    peer.send(Buffer.from([1, 4]));
    await refuseKey(peer);
  },
};

async function refuseKey(peer: Peer): Promise<void> {
  const answer = await peer.next();
  if (answer !== null && KEY_REQUESTS.some((request) => request.equals(answer))) {
    throw new Error('The client asked a server without TLS for a key.');
  }
}

describe('a server that is not what it says', () => {
  for (const [what, script] of Object.entries(SCRIPTS)) {
    for (const ssl_mode of ['disable', 'prefer']) {
      it(`gets no password when it ${what}, with ssl_mode ${ssl_mode}`, async () => {
        const failures: unknown[] = [];
        const watched: Script = (peer, socket) =>
          script(peer, socket).catch((error) => void failures.push(error));
        await withServer(watched, async ({ port, received }) => {
          const error = await failureOf(port, { ssl_mode });
          expect(error).toMatchObject({ code: 'datasource_unreachable' });
          expect(received().length).toBeGreaterThan(0);
          expect(received().toString('latin1')).not.toContain(PASSWORD);
          expect(`${error} ${String((error as Error).cause)}`).not.toContain(PASSWORD);
        });
        expect(failures).toEqual([]);
      });
    }
  }

  it('gets not even a user name when it has no TLS and some is asked for', () =>
    withServer(
      async (peer) => {
        peer.send(greeting('mysql_native_password'));
        await peer.next();
      },
      async ({ port, received }) => {
        for (const ssl_mode of ['require', 'verify-ca']) {
          expect(await failureOf(port, { ssl_mode })).toMatchObject({
            code: 'datasource_unreachable',
          });
        }
        expect(received().toString('latin1')).not.toMatch(/someone|s3cret/);
      },
    ));

  it('gets no file of the machine', () =>
    withTemporaryFolder(async (folder) => {
      const path = join(folder, 'private.txt');
      await writeFile(path, 'of nobody else');
      const script: Script = async (peer) => {
        peer.send(greeting('mysql_native_password'));
        await peer.next();
        peer.send(OK);
        while ((await peer.next()) !== null) {
          // Whatever is asked, the answer is: send me that file (LOCAL INFILE).
          peer.send(Buffer.concat([Buffer.from([0xfb]), Buffer.from(path)]));
          await peer.next();
          peer.send(OK);
        }
      };
      await withServer(script, async ({ port, received }) => {
        const error = await failureOf(port, { ssl_mode: 'disable' });
        expect(error).toBeInstanceOf(Error);
        await wait(100);
        expect(received().toString('latin1')).not.toContain('of nobody else');
        // The flag that says that files may be asked for.
        expect(received().readUInt32LE(4) & 0x80).toBe(0);
      });
    }));

  it('is refused with verify-full where only an address could be verified', async () => {
    const config = { host: '127.0.0.1', database: 'd', ssl_mode: 'verify-full' };
    const connecting = mysql.connect({ id: 'shop', config, credentials: { username: 'u' } });
    await expect(connecting).rejects.toMatchObject({
      code: 'config_invalid',
      hint: expect.stringContaining('verify-ca'),
    });
  });
});

async function failureOf(port: number, config: Record<string, unknown>): Promise<unknown> {
  const connector = await mysql.connect(
    {
      id: 'shop',
      config: { host: '127.0.0.1', port, database: 'd', ...config },
      credentials: { username: 'someone', password: PASSWORD },
    },
    { connectTimeoutMs: 2_000 },
  );
  try {
    return await connector.test().then(
      () => 'It did not fail.',
      (error) => error,
    );
  } finally {
    await connector.close();
  }
}

/** This machine under a name that is not known to be it. */
const OTHER_HOST = '127.1';

describe.skipIf(!hasOpenssl())('a server with TLS that nobody verifies', () => {
  const scripts: Record<string, Script> = {
    mysql_clear_password: async (peer) => {
      peer.send(switchTo('mysql_clear_password'));
      await peer.next();
    },
    'caching_sha2_password, as of an account that it has not seen': async (peer) => {
      peer.send(switchTo('caching_sha2_password'));
      await peer.next();
      peer.send(Buffer.from([1, 4]));
      await peer.next();
    },
  };
  for (const [plugin, script] of Object.entries(scripts)) {
    it(`gets no password by ${plugin} under another name than this machine's`, () =>
      withTemporaryFolder(async (folder) => {
        const { key, certificate } = makeCertificate(folder, 'DNS:rogue.test');
        const tls = { key, cert: certificate };
        await withTlsServer(tls, script, async ({ port, received }) => {
          for (const ssl_mode of ['prefer', 'require', 'verify-ca', 'verify-full']) {
            const error = await failureOf(port, { ssl_mode, host: OTHER_HOST });
            expect(error, ssl_mode).toMatchObject({ code: 'datasource_unreachable' });
          }
          expect(received().toString('latin1')).toContain('someone');
          expect(received().toString('latin1')).not.toContain(PASSWORD);
        });
      }));
  }
});
