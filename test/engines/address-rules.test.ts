import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ENGINES } from '../../src/engines/index.js';
import { parseAddressList } from '../../src/util/address-list.js';
import { listedRules } from '../../src/util/outbound.js';
import { enginesUnderTest } from '../conformance/engines.js';

const rules = (...entries: string[]) =>
  listedRules(parseAddressList(entries, 'datasource_addresses'), 'datasource_addresses');

for (const name of ['postgres', 'mysql'] as const) {
  const under = enginesUnderTest[name];
  const connect = (
    target: Parameters<(typeof ENGINES)[typeof name]['connect']>[0],
    ...entries: string[]
  ) => ENGINES[name].connect(target, { addressRules: rules(...entries), connectTimeoutMs: 3_000 });

  describe.skipIf(under.skipped !== null)(`the addresses that ${name} may be at`, () => {
    it('are dialled where their network or their host is listed', () =>
      under.withGround(async ({ target }) => {
        const host = String(target.config.host);
        for (const entry of host.startsWith('/') ? ['127.0.0.1'] : [host, '127.0.0.0/8']) {
          const connector = await connect(target, entry);
          expect((await connector.test()).server).not.toBe('');
          await connector.close();
        }
        const connector = await connect(target, '10.0.0.0/8', 'other.internal');
        await expect(connector.test()).rejects.toMatchObject({
          code: 'datasource_unreachable',
          cause: { code: 'address_refused' },
        });
        await connector.close();
      }));

    it('are looked at after resolution, and nothing is sent to others', async () => {
      let connections = 0;
      const server = createServer((socket) => {
        connections += 1;
        socket.destroy();
      });
      await new Promise<void>((resolve) => server.listen(0, resolve));
      onTestFinished(() => void server.close());
      const { port } = server.address() as { port: number };
      // A name to Node, and this machine to the system's resolver.
      for (const host of ['0x7f.1', 'localhost', '::ffff:127.0.0.1', '0.0.0.0']) {
        const config = { host, port, database: 'd', ssl_mode: 'disable' };
        const target = { id: 'x', config, credentials: { username: 'u', password: 'p' } };
        const connector = await connect(target, '10.0.0.0/8', '203.0.113.7');
        await expect(connector.test(), host).rejects.toMatchObject({
          cause: { code: 'address_refused' },
        });
        await connector.close();
      }
      expect(connections).toBe(0);
    });
  });
}
