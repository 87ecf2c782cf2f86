import mysql from 'mysql2/promise';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CompiledQuery } from '../../src/aql/plan.js';
import type { Connector } from '../../src/engines/contract.js';
import { ENGINES } from '../../src/engines/index.js';
import { runGoverned, scannedRegistry } from '../engines/governed-query.js';
import type { Ground } from '../helpers/governed.js';
import { findMysql } from '../helpers/mysql.js';
import { mysqlShop } from '../helpers/shop.js';

describe('backslashes in MySQL', () => {
  const BODIES = [
    '\\',
    '\\\\',
    "\\'",
    "'",
    "' OR 1=1 -- ",
    "\\' OR 1=1 -- ",
    '\\%',
    '\\_',
    'x\\',
    '%',
    '"',
    '\\"',
  ];

  it.for([
    ['', 'a backslash escapes'],
    ['NO_BACKSLASH_ESCAPES', 'a backslash is a character'],
    ['ANSI_QUOTES', 'double quotes are for names'],
    ['ANSI,NO_BACKSLASH_ESCAPES', 'neither'],
  ])('mean the same under sql_mode "%s": %s', async ([mode], context) => {
    const { url, reason } = await findMysql();
    if (url === null) return context.skip(reason);
    const values = BODIES.map(
      (body, index) => `(${index}, x'${Buffer.from(body).toString('hex')}', 'hidden\\\\')`,
    );
    const ground: Ground = await mysqlShop(url, {
      sql: `create table notes (id integer primary key, body varchar(100), secret varchar(100)); insert into notes values ${values.join(', ')};`,
    });
    const connector = await ENGINES.mysql.connect({
      id: 'd',
      config: ground.config,
      credentials: ground.variables,
    });
    const { tables } = await connector.introspect();
    await connector.close();
    const client = await mysql.createConnection({
      uri: url,
      database: String(ground.config.database),
      rowsAsArray: true,
    });
    onTestFinished(() => client.end());
    await client.query(`set names utf8mb4 collate utf8mb4_bin`);
    await client.query('set session sql_mode = ?', [mode]);
    const inThisMode: Pick<Connector, 'run'> = {
      async *run({ sql, params }: CompiledQuery) {
        const [rows] = await client.execute(sql, params as string[]);
        yield (rows as unknown[][]).map((row) => row.map((cell) => JSON.stringify(cell)));
      },
    };
    const registry = scannedRegistry(tables);
    const masks = {
      'notes.secret': { method: 'partial', prefix: 1, suffix: 1, minLength: 3 } as const,
    };
    for (const [id, body] of BODIES.entries()) {
      for (const [operator, value] of [
        ['eq', body],
        ['in', [body]],
        ['like', body.replace(/[%_\\]/g, '\\$&')],
      ]) {
        const query = {
          source_table: 'notes',
          columns: ['id', 'secret'],
          filters: [{ operator, field: 'body', value }],
        };
        const rows = await runGoverned(
          ENGINES.mysql,
          inThisMode as Connector,
          registry,
          query,
          masks,
        );
        expect([mode, body, operator, rows]).toEqual([mode, body, operator, [[id, 'h****\\']]]);
      }
    }
  });
});
