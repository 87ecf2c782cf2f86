import type { Connector } from '../../../src/engines/contract.js';
import { mysql } from '../../../src/engines/mysql/index.js';
import type { VisibilityTable } from '../../aql/aql-fixtures.js';
import { enginesUnderTest } from '../../conformance/engines.js';
import { runGoverned, scannedRegistry } from '../governed-query.js';

/** Answers rows, or what is wrong with the query. */
export type Run = (query: object, masks?: VisibilityTable) => Promise<unknown>;

/** Runs queries, on the table `t` where they name no other, in a database that the statements have made. */
export function withTable(
  sql: string,
  use: (run: Run, connector: Connector) => Promise<void>,
): Promise<void> {
  return enginesUnderTest.mysql.withGround(async ({ target, schema, execute }) => {
    await execute(sql);
    const connector = await mysql.connect(target);
    try {
      const { tables } = await connector.introspect({ include: [`${schema}.*`] });
      const registry = scannedRegistry(tables);
      await use(
        (query, masks) =>
          runGoverned(mysql, connector, registry, { source_table: 't', ...query }, masks),
        connector,
      );
    } finally {
      await connector.close();
    }
  });
}
