import { describe, expect, it } from 'vitest';
import { lockDatasetOf } from '../../src/schema/lock-dataset.js';
import { parseRegistryLock, printRegistryLock } from '../../src/schema/registry-lock.js';
import { rereadLock, splitLock } from '../../src/schema/reread-lock.js';
import { NOTHING, scan, schema, table } from './scan-fixtures.js';

const CUSTOMERS = table('customers', ['id integer', 'email text null'], { primary_key: ['id'] });
const ORDERS = table('a"}.orders', ['id integer'], { oid: 7 });
const written = printRegistryLock(scan(NOTHING, schema(CUSTOMERS, ORDERS)).lock);

const reread = (text: string, tables = [CUSTOMERS, ORDERS]) =>
  rereadLock(text, 'lock', { tables, datasource: 'production_db' });

describe('a lock that is read again', () => {
  it('is what parsing says, and of an unchanged table the table found itself', () => {
    const { lock, problems } = reread(written);
    expect(problems).toEqual([]);
    expect(lock).toEqual(parseRegistryLock(written, 'lock').lock);
    expect(lock.datasets.customers).toBe(lockDatasetOf(CUSTOMERS, 'production_db'));
    expect(Object.keys(lock.datasets)).toHaveLength(2);
  });

  it('is parsed where a table changed, is gone, or is of another datasource', () => {
    const changed = table('customers', ['id integer', 'email text']);
    for (const tables of [[changed, ORDERS], [ORDERS], []]) {
      const { lock } = reread(written, tables);
      expect(lock).toEqual(parseRegistryLock(written, 'lock').lock);
    }
    const other = rereadLock(written, 'lock', { tables: [CUSTOMERS], datasource: 'other' });
    expect(other.lock).toEqual(parseRegistryLock(written, 'lock').lock);
  });

  it('is parsed where it stands otherwise than a scan writes it', () => {
    const compact = JSON.stringify(JSON.parse(written));
    expect(splitLock(compact)).toBeNull();
    expect(reread(compact).lock).toEqual(parseRegistryLock(written, 'lock').lock);
    const twice = written.replace('"customers":', '"a\\"}.orders":');
    expect(splitLock(twice)).toBeNull();
    expect(reread(twice).problems).not.toEqual([]);
  });

  it('has the problems that parsing finds', () => {
    const texts = [
      '{',
      written.replace('"kind": "table"', '"kind": "chair"'),
      written.replace('"position": 1', '"position": 0'),
      written.replace('"table": {', '"table": null, "x": {'),
      written.replace('"nullable": true', '"nullable": true, "nullable": false'),
      written.slice(0, -4),
    ];
    for (const text of texts) {
      expect(reread(text).problems, text).toEqual(parseRegistryLock(text, 'lock').problems);
      expect(reread(text).problems).not.toEqual([]);
    }
  });
});
