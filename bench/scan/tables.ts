import pg from 'pg';

/** Tables made in one transaction: each is locked until its end. */
const TABLES_AT_ONCE = 200;

/** Columns as they recur from table to table. */
const COLUMNS = `id integer PRIMARY KEY, customer_id integer, email text NOT NULL, phone text, first_name text,
  last_name text, street text, city text, birth_date date, tax_number text, iban varchar(34), card_number text,
  amount numeric(12,2) DEFAULT 0, currency char(3), diagnosis text, ip_address inet, payload jsonb,
  status text NOT NULL DEFAULT 'new', created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz`;

/** Makes so many tables of twenty columns in a database that has none, for a login to read. */
export async function makeTables(url: string, tables: number, reader: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (let from = 0; from < tables; from += TABLES_AT_ONCE) {
      const count = Math.min(TABLES_AT_ONCE, tables - from);
      const names = Array.from({ length: count }, (_, index) => nameOf(from + index));
      await client.query(names.map((name) => `CREATE TABLE ${name} (${COLUMNS})`).join('; '));
    }
    await client.query(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${reader}`);
    await client.query('ANALYZE pg_catalog.pg_attribute; ANALYZE pg_catalog.pg_class');
  } finally {
    await client.end();
  }
}

const AREAS = ['sales', 'hr', 'web', 'ops', 'crm', 'bank', 'care', 'shop', 'mail', 'data'] as const;

function nameOf(index: number): string {
  return `${AREAS[index % AREAS.length]}_table_${String(index).padStart(5, '0')}`;
}
