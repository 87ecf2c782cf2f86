import { describe, expect, it } from 'vitest';
import type { CompiledQuery } from '../../src/aql/plan.js';
import type { Connector } from '../../src/engines/contract.js';
import { ENGINES } from '../../src/engines/index.js';
import type { VkitError } from '../../src/errors/index.js';
import { enginesUnderTest } from '../conformance/engines.js';
import { type HeldProxy, withHeldProxy } from '../helpers/held-proxy.js';

const POOL_MAX = 3;
const MANY_ROWS = 100_000;

for (const engine of [enginesUnderTest.postgres, enginesUnderTest.mysql]) {
  const title = engine.skipped ? `${engine.name} (skipped: ${engine.skipped})` : engine.name;

  describe.skipIf(engine.skipped !== null)(`a server that stops and starts again, ${title}`, () => {
    const many = queryOf(engine.manyRowsSql(MANY_ROWS, 500));
    const few = queryOf(engine.manyRowsSql(7, 3));
    const withServer = (use: (connector: Connector, proxy: HeldProxy) => Promise<void>) =>
      engine.withGround(async ({ target }) => {
        const { host, port } = target.config;
        await withHeldProxy({ host: String(host), port: Number(port) }, async (proxy) => {
          const config = { ...target.config, host: '127.0.0.1', port: proxy.port };
          const options = { poolMax: POOL_MAX, connectTimeoutMs: 3_000 };
          const connector = await ENGINES[engine.name].connect({ ...target, config }, options);
          await use(connector, proxy).finally(() => connector.close());
        });
      });
    /** More than there are connections. */
    const all = (connector: Connector) =>
      Promise.all(Array.from({ length: POOL_MAX * 3 }, () => answerOf(connector, few)));

    it('cannot be reached meanwhile, and answers afterwards', () =>
      withServer(async (connector, proxy) => {
        expect(new Set(await all(connector))).toEqual(new Set([7]));
        for (let round = 0; round < 2; round += 1) {
          await proxy.stop();
          expect(new Set(await all(connector))).toEqual(new Set(['datasource_unreachable']));
          await proxy.start();
          expect(new Set(await all(connector))).toEqual(new Set([7]));
        }
      }));

    it('fails a query whose rows were coming, and hands out none twice', () =>
      withServer(async (connector, proxy) => {
        const seen: string[] = [];
        const reading = async () => {
          for await (const batch of connector.run(many, { timeoutMs: 10_000 })) {
            if (seen.length === 0) await proxy.stop();
            seen.push(...batch.map(([id]) => id ?? ''));
          }
        };
        const error = (await reading().catch((thrown: unknown) => thrown)) as VkitError;
        expect(error.code).toBe('datasource_unreachable');
        expect(seen.length).toBeLessThan(MANY_ROWS);
        expect(new Set(seen).size).toBe(seen.length);
        await proxy.start();
        expect(new Set(await all(connector))).toEqual(new Set([7]));
      }));

    it('fails queries that ran, and gives their connections back', () =>
      withServer(async (connector, proxy) => {
        const slow = queryOf(
          engine.name === 'postgres' ? 'select 1, pg_sleep(30)::text' : 'select 1, sleep(30)',
        );
        const running = Array.from({ length: POOL_MAX }, () => answerOf(connector, slow));
        await new Promise((resolve) => setTimeout(resolve, 500));
        await proxy.stop();
        expect(await Promise.all(running)).toEqual(running.map(() => 'datasource_unreachable'));
        await proxy.start();
        expect(new Set(await all(connector))).toEqual(new Set([7]));
      }));
  });
}

function queryOf(sql: string): CompiledQuery {
  const columns = ['integer', 'text'].map((type, at) => ({ name: `c${at}`, type }));
  return { sql, params: [], columns, tables: [] };
}

/** How many rows there were, or why there are none. */
async function answerOf(connector: Connector, query: CompiledQuery): Promise<number | string> {
  let rows = 0;
  try {
    for await (const batch of connector.run(query, { timeoutMs: 20_000 })) rows += batch.length;
    return rows;
  } catch (error) {
    return (error as VkitError).code;
  }
}
