import { describe, expect, it } from 'vitest';
import { printRegistryLock } from '../../src/schema/registry-lock.js';
import { body, NOTHING, scan, schema, table } from './scan-fixtures.js';

const kinds = (result: { drift: readonly { kind: string; dataset: string; field?: string }[] }) =>
  result.drift.map(({ kind, dataset, field }) => [kind, dataset, field].filter(Boolean).join(' '));

const CUSTOMERS = table('customers', ['id integer', 'email text null', 'notes text'], { oid: 7 });

describe('the first scan', () => {
  it('writes datasets by key and fields in the order of the table, below a comment that explains the file', () => {
    const { registryText } = scan(NOTHING, schema(CUSTOMERS, table('b.accounts', ['id bigint'])));
    expect(registryText).toMatch(/^# yaml-language-server/);
    expect(body(registryText)).toBe(
      `b.accounts:
  datasource: production_db
  fields:
    id: {type: bigint, sensitivity: low, category: internal}
customers:
  datasource: production_db
  fields:
    id: {type: integer, sensitivity: low, category: internal}
    email: {type: text, sensitivity: medium, category: pii, classification: email}
    notes: {type: text, sensitivity: low, category: internal}
`,
    );
  });

  it('starts what cannot be told at high', () => {
    const { registryText } = scan(
      NOTHING,
      schema(
        table('a', ['j jsonb', 'l text[]', 'x xml', 'b bytes', 'o other', 'u hstore', 'i inet']),
        table('v', ['id integer'], { kind: 'view' }),
        table('g', ['id integer'], {
          columns: [
            {
              name: 'full',
              type: 'text',
              native: 'text',
              position: 1,
              nullable: true,
              generated: true,
            },
          ],
        }),
      ),
    );
    const lines = body(registryText).split('\n');
    const low = lines.filter((line) => line.includes('sensitivity: low'));
    expect(low).toEqual(['    i: {type: inet, sensitivity: low, category: internal}']);
    expect(lines).toContain('    l: {type: "text[]", sensitivity: high, category: internal}');
  });

  it('makes a foreign key as strict as the column it refers to, also over several tables', () => {
    const references = (name: string) => ({ schema: 'public', table: name, columns: ['ssn'] });
    const { registryText } = scan(
      NOTHING,
      schema(
        table('people', ['ssn text']),
        table('a', ['person text'], {
          foreign_keys: [{ columns: ['person'], references: references('people') }],
        }),
        table('b', ['owner text'], {
          foreign_keys: [
            {
              columns: ['owner'],
              references: { schema: 'public', table: 'a', columns: ['person'] },
            },
          ],
        }),
        table('c', ['far text'], {
          foreign_keys: [{ columns: ['far'], references: references('elsewhere') }],
        }),
      ),
    );
    const tags = 'sensitivity: high, category: pii, classification: national_id}';
    expect(registryText).toContain(`    person: {type: text, ${tags}`);
    expect(registryText).toContain(`    owner: {type: text, ${tags}`);
    expect(registryText).toContain('    far: {type: text, sensitivity: high, category: internal}');
  });

  it('ends on foreign keys that refer to each other in a circle', () => {
    const to = (name: string) => [
      { columns: ['id'], references: { schema: 'public', table: name, columns: ['id'] } },
    ];
    const { registryText } = scan(
      NOTHING,
      schema(
        table('a', ['id integer'], { foreign_keys: to('b') }),
        table('b', ['id integer'], { foreign_keys: to('a') }),
        table('c', ['id integer'], { foreign_keys: to('c') }),
      ),
    );
    expect(body(registryText).match(/sensitivity: \w+/g)).toEqual([
      'sensitivity: high',
      'sensitivity: high',
      'sensitivity: low',
    ]);
  });

  it('leaves out names that no registry can hold, and says so', () => {
    const { registryText, lock, leftOut } = scan(
      NOTHING,
      schema(
        table('__proto__', ['id integer']),
        table('t', ['__proto__ text', 'constructor text']),
      ),
    );
    expect(leftOut).toEqual(['public.__proto__', 'public.t.__proto__']);
    expect(body(registryText)).toContain('    constructor: {');
    expect(Object.keys(lock.datasets.t?.fields ?? {})).toEqual(['constructor']);
  });
});

describe('a further scan', () => {
  const first = scan(NOTHING, schema(CUSTOMERS));

  it('changes no byte and reports nothing where the database did not change', () => {
    const again = scan(first, schema(CUSTOMERS));
    expect(again.registryText).toBe(first.registryText);
    expect(printRegistryLock(again.lock)).toBe(printRegistryLock(first.lock));
    expect(again.drift).toEqual([]);
  });

  it("takes a database's own names of types for ours, and leaves them as they are written", () => {
    const types = table('t', [
      'a varchar',
      'b integer',
      'c timestamptz',
      'd varchar[]',
      'e double',
    ]);
    const first = scan(NOTHING, schema(types));
    const registryText = first.registryText
      .replace('type: varchar,', 'type: "character varying(255)",')
      .replace('type: integer,', 'type: int4,')
      .replace('type: timestamptz,', 'type: TIMESTAMP WITH TIME ZONE,')
      .replace('type: "varchar[]",', 'type: "character varying[]",')
      .replace('type: double,', 'type: double precision,');
    expect(registryText).toContain('character varying[]');
    const again = scan({ ...first, registryText }, schema(types));
    expect(again.drift).toEqual([]);
    expect(again.registryText).toBe(registryText);
    const retyped = table('t', ['a text', 'b integer', 'c timestamptz', 'd varchar[]', 'e double']);
    expect(scan({ ...first, registryText }, schema(retyped)).drift).toMatchObject([
      { kind: 'type_changed', field: 'a', from: 'varchar', to: 'text' },
    ]);
  });

  it('keeps what a person wrote: tags, sensitivity, descriptions, comments, order', () => {
    const edited = `# our registry

customers: # the people
  datasource: production_db
  description: People who bought something
  fields:
    # contact
    email: {type: text, sensitivity: high, category: pii, classification: email, tags: [contact, "a b"]} # ask Legal
    id: {type: integer, sensitivity: low, category: internal}

    notes:
      type: :text
      sensitivity: :medium # free text
      category: :internal
      description: |
        two
        lines
`;
    const quiet = scan({ ...first, registryText: edited }, schema(CUSTOMERS));
    expect(quiet.registryText).toBe(edited);
    const more = table(
      'customers',
      ['id integer', 'email varchar null', 'fax text', 'notes text'],
      { oid: 7 },
    );
    const result = scan(
      { ...first, registryText: edited },
      schema(more, table('zoo', ['id integer'])),
    );
    expect(kinds(result)).toEqual([
      'type_changed customers email',
      'field_added customers fax',
      'dataset_added zoo',
      'field_added zoo id',
    ]);
    const lines = result.registryText.split('\n');
    expect(lines.slice(0, 2)).toEqual(['# our registry', '']);
    for (const kept of [
      '    # contact',
      '    email: {type: varchar, sensitivity: high, category: pii, classification: email, tags: [contact, "a b"]} # ask Legal',
      '      sensitivity: :medium # free text',
      '        two',
    ]) {
      expect(lines).toContain(kept);
    }
    expect(result.registryText).toContain('the people');
    const order = lines.map((line) => /^ {4}(\w+):/.exec(line)?.[1]).filter(Boolean);
    expect(order).toEqual(['email', 'fax', 'id', 'notes', 'id']);
    expect(scan(result, schema(more, table('zoo', ['id integer']))).drift).toEqual([]);
  });

  it('marks what is gone, reports it once, and takes it back with its tags', () => {
    const smaller = table('customers', ['id integer', 'email text null'], { oid: 7 });
    const gone = scan(first, schema(smaller));
    expect(kinds(gone)).toEqual(['field_removed customers notes']);
    expect(gone.registryText).toContain(
      '    notes: {type: text, sensitivity: low, category: internal, gone: true}',
    );
    expect(gone.lock.datasets.customers?.fields).not.toHaveProperty('notes');
    const again = scan(gone, schema(smaller));
    expect(again.drift).toEqual([]);
    expect(again.registryText).toBe(gone.registryText);
    const back = scan(gone, schema(CUSTOMERS));
    expect(kinds(back)).toEqual(['field_returned customers notes']);
    expect(back.registryText).toBe(first.registryText);
  });

  it('marks a table that is gone and takes it back', () => {
    const gone = scan(first, schema());
    expect(kinds(gone)).toEqual(['dataset_removed customers']);
    expect(body(gone.registryText)).toContain(
      '  datasource: production_db\n  gone: true\n  fields:',
    );
    expect(gone.lock.datasets).toEqual({});
    expect(scan(gone, schema()).drift).toEqual([]);
    const back = scan(gone, schema(CUSTOMERS));
    expect(kinds(back)).toEqual(['dataset_returned customers']);
    expect(back.registryText).toBe(first.registryText);
  });

  it('says nothing of tables it did not look for', () => {
    const result = scan(first, schema(), { inScope: ({ name }) => name !== 'customers' });
    expect(result.drift).toEqual([]);
    expect(result.registryText).toBe(first.registryText);
    expect(Object.keys(result.lock.datasets)).toEqual(['customers']);
  });

  it('does not touch the datasets of another datasource, and gives the newcomer a prefix', () => {
    const result = scan(first, schema(CUSTOMERS), { datasource: 'crm' });
    expect(kinds(result)[0]).toBe('dataset_added crm.customers');
    expect(Object.keys(result.lock.datasets).sort()).toEqual(['crm.customers', 'customers']);
    expect(scan(result, schema(CUSTOMERS), { datasource: 'crm' }).drift).toEqual([]);
    expect(scan(result, schema(CUSTOMERS)).drift).toEqual([]);
  });

  it('keeps a key of its own for a table whose name looks like another schema', () => {
    const dotted = { ...table('x', ['id integer']), table: { schema: 'public', name: 'a.b' } };
    const both = schema(table('a.b', ['id integer']), dotted);
    const result = scan(NOTHING, both);
    expect(Object.keys(result.lock.datasets).sort()).toEqual(['a.b', 'production_db.a.b']);
    expect(scan(result, both).drift).toEqual([]);
  });

  it('reports row-level security that is off or changed, and not that rows are protected now', () => {
    const t = (row_security?: 'enabled' | 'forced') =>
      schema(table('t', ['id integer'], row_security === undefined ? {} : { row_security }));
    const open = scan(NOTHING, t());
    const secured = scan(open, t('enabled'));
    expect(secured.drift).toEqual([]);
    expect(secured.lock.datasets.t?.row_security).toBe('enabled');
    expect(scan(secured, t('enabled')).drift).toEqual([]);
    for (const [now, to] of [
      [t(), 'off'],
      [t('forced'), 'forced'],
    ] as const) {
      const changed = scan(secured, now);
      expect(changed.drift).toMatchObject([
        { kind: 'row_security_changed', dataset: 't', from: 'enabled', to },
      ]);
      expect(scan(changed, now).drift).toEqual([]);
    }
  });

  it('reports changed keys, nullability and definitions', () => {
    const view = (digest: string) =>
      table('v', ['id integer'], { kind: 'view', definition_digest: digest });
    const before = scan(first, schema(CUSTOMERS, view('a')));
    const changed = table('customers', ['id integer', 'email text', 'notes text'], {
      oid: 7,
      primary_key: ['id'],
    });
    expect(kinds(scan(before, schema(changed, view('b'))))).toEqual([
      'keys_changed customers',
      'nullability_changed customers email',
      'redefined v',
    ]);
  });
});

describe('a rename', () => {
  const tagged = scan(NOTHING, schema(CUSTOMERS));
  const edited = {
    ...tagged,
    registryText: tagged.registryText.replace(
      'notes: {type: text, sensitivity: low, category: internal}',
      'notes: {type: text, sensitivity: high, category: phi, tags: [diagnosis]} # ask first',
    ),
  };

  it('of a column keeps its entry with tags and comment, and is no second finding', () => {
    const renamed = schema(
      table('customers', ['id integer', 'email text null', 'remarks text'], { oid: 7 }),
    );
    const result = scan(edited, renamed);
    expect(result.drift).toMatchObject([
      { kind: 'renamed', dataset: 'customers', field: 'remarks', from: 'notes', to: 'remarks' },
    ]);
    expect(result.registryText).toContain(
      '    remarks: {type: text, sensitivity: high, category: phi, tags: [diagnosis]} # ask first\n',
    );
    expect(result.registryText).not.toContain('notes');
    expect(scan(result, renamed).drift).toEqual([]);
  });

  it('to a name that says more takes over what it says, and keeps what was known as a tag', () => {
    const result = scan(
      {
        ...edited,
        registryText: edited.registryText.replace('high, category: phi', 'medium, category: phi'),
      },
      schema(table('customers', ['id integer', 'email text null', 'ssn text'], { oid: 7 })),
    );
    expect(result.registryText).toContain(
      'ssn: {type: text, sensitivity: high, category: pii, tags: [diagnosis, phi], classification: national_id}',
    );
  });

  it('of a column that a new foreign key refers to passes its tags on', () => {
    const columns = ['id integer', 'email text null', 'remarks text'];
    const references = { schema: 'public', table: 'customers', columns: ['remarks'] };
    const notes = table('a_notes', ['about text'], {
      foreign_keys: [{ columns: ['about'], references }],
    });
    const result = scan(edited, schema(table('customers', columns, { oid: 7 }), notes));
    expect(result.registryText).toContain(
      'about: {type: text, sensitivity: high, category: phi, tags: [diagnosis]}',
    );
  });

  it('of a column is seen when another one before it was dropped', () => {
    const result = scan(
      edited,
      schema(table('customers', ['email text null', 'remarks text'], { oid: 7 })),
    );
    expect(kinds(result)).toEqual(['renamed customers remarks', 'field_removed customers id']);
    expect(result.registryText).toContain('remarks: {type: text, sensitivity: high, category: phi');
  });

  it('is not seen where the type differs', () => {
    const result = scan(
      edited,
      schema(table('customers', ['id integer', 'email text null', 'remarks integer'], { oid: 7 })),
    );
    expect(kinds(result)).toEqual([
      'field_added customers remarks',
      'field_removed customers notes',
    ]);
  });

  it('of a table, by its object id, keeps the key and the tags', () => {
    const moved = schema(
      table('clients', ['id integer', 'email text null', 'notes text'], { oid: 7 }),
    );
    const result = scan(edited, moved);
    expect(result.drift).toMatchObject([
      { kind: 'renamed', dataset: 'customers', from: 'public.customers', to: 'public.clients' },
    ]);
    expect(result.registryText).toBe(edited.registryText);
    expect(result.lock.datasets.customers?.table.name).toBe('clients');
    expect(scan(result, moved).drift).toEqual([]);
    const newcomer = scan(result, schema(...moved.tables, table('customers', ['id integer'])));
    expect(kinds(newcomer)[0]).toBe('dataset_added production_db.customers');
  });

  it('of a table without object ids is seen by its columns, if only one table fits', () => {
    const columns = ['id integer', 'email text'];
    const before = scan(NOTHING, schema(table('old', columns)));
    expect(kinds(scan(before, schema(table('new', columns))))).toEqual(['renamed old']);
    const two = scan(before, schema(table('new', columns), table('newer', columns)));
    expect(kinds(two)).toContain('dataset_removed old');
  });

  it('of a table whose name was given to another one carries the tags along', () => {
    const result = scan(
      edited,
      schema(
        table('customers', ['id integer', 'email text null', 'notes text'], { oid: 8 }),
        table('customers_old', ['id integer', 'email text null', 'notes text'], { oid: 7 }),
      ),
    );
    expect(kinds(result)[0]).toBe('dataset_added customers_old');
    expect(result.registryText.match(/notes: .*category: phi/g)).toHaveLength(2);
  });

  describe('where the engine numbers its columns', () => {
    /** `1 ssn text`: number, name and type. */
    const numbered = (texts: readonly string[]) => {
      const made = table(
        't',
        texts.map((text) => text.replace(/^\d+ /, '')),
        { oid: 7 },
      );
      const columns = made.columns.map((column, index) => ({
        ...column,
        number: Number.parseInt(texts[index] ?? '', 10),
      }));
      return schema({ ...made, columns });
    };
    const before = scan(NOTHING, numbered(['1 id integer', '2 ssn text', '3 shown text']));

    it.each<[what: string, now: string[], kinds: string[], column: RegExp]>([
      [
        'whose type changed with it',
        ['1 id integer', '2 y varchar', '3 shown text'],
        ['renamed t y', 'type_changed t y'],
        /"y": \{type: varchar, sensitivity: high, category: pii/,
      ],
      [
        'whose name a new column has',
        ['1 id integer', '2 code text', '3 shown text', '4 ssn text'],
        ['renamed t code', 'field_added t ssn'],
        /code: \{type: text, sensitivity: high, category: pii/,
      ],
      [
        'to the name of one that was dropped',
        ['1 id integer', '2 shown text'],
        ['renamed t shown', 'field_removed t ssn'],
        /shown: \{type: text, sensitivity: high, category: pii/,
      ],
      [
        'and another one, each to the name of the other',
        ['1 id integer', '2 shown text', '3 ssn text'],
        ['renamed t shown', 'renamed t ssn'],
        /shown: \{type: text, sensitivity: high, category: pii/,
      ],
    ])('keeps the tags of a column %s', (_what, now, expected, column) => {
      const result = scan(before, numbered(now));
      expect(kinds(result)).toEqual(expected);
      expect(result.registryText).toMatch(column);
      const again = scan(result, numbered(now));
      expect(again.drift).toEqual([]);
      expect(again.registryText).toBe(result.registryText);
    });

    it('takes a new column in the very place of a dropped one for the same, as elsewhere', () => {
      const result = scan(before, numbered(['1 id integer', '2 ssn text', '4 added text']));
      expect(kinds(result)).toEqual(['renamed t added']);
    });

    it('trusts no number of a table that was made anew', () => {
      const other = numbered(['1 id integer', '2 shown text']);
      const [made] = other.tables;
      if (made === undefined) throw new Error('no table');
      const anew = { ...other, tables: [{ ...made, table: { ...made.table, oid: 8 } }] };
      expect(kinds(scan(before, anew))).toEqual(['field_removed t ssn']);
    });
  });

  it('of two tables, each to the name of the other, gives both the stricter tags', () => {
    const columns = ['id integer', 'shown text'];
    const first = scan(
      NOTHING,
      schema(table('a', columns, { oid: 7 }), table('b', columns, { oid: 8 })),
    );
    const before = {
      ...first,
      registryText: first.registryText.replace(
        'shown: {type: text, sensitivity: low',
        'shown: {type: text, sensitivity: high',
      ),
    };
    const after = schema(table('a', columns, { oid: 8 }), table('b', columns, { oid: 7 }));
    const result = scan(before, after);
    expect(kinds(result)).toEqual(['renamed a', 'renamed b']);
    expect(result.registryText.match(/shown: \{type: text, sensitivity: high/g)).toHaveLength(2);
    expect(scan(result, after).drift).toEqual([]);
  });

  it('of a table to the name of one that was dropped carries the tags along', () => {
    const columns = ['id integer', 'note text'];
    const first = scan(
      NOTHING,
      schema(table('a', columns, { oid: 7 }), table('b', columns, { oid: 8 })),
    );
    const before = {
      ...first,
      registryText: first.registryText.replace(
        'note: {type: text, sensitivity: low',
        'note: {type: text, sensitivity: high',
      ),
    };
    const after = schema(table('b', columns, { oid: 7 }));
    const result = scan(before, after);
    expect(kinds(result)).toEqual(['dataset_removed a', 'renamed b']);
    expect(result.registryText.match(/note: \{type: text, sensitivity: high/g)).toHaveLength(2);
    const restored = schema(table('b', ['id integer', 'x text', 'y text'], { oid: 7 }));
    expect(kinds(scan(first, restored))).not.toContain('renamed b');
  });

  it('that swaps two columns gives both the stricter tags', () => {
    const before = scan(NOTHING, schema(table('t', ['ssn text', 'shown text'])));
    const after = schema(table('t', ['shown text', 'ssn text']));
    const result = scan(before, after);
    expect(kinds(result)).toEqual(['moved t shown', 'moved t ssn']);
    expect(result.registryText).toContain('shown: {type: text, sensitivity: high, category: pii');
    expect(scan(result, after).drift).toEqual([]);
  });
});
