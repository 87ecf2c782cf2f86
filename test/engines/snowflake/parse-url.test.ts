import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { ENGINES } from '../../../src/engines/index.js';
import { normaliseSnowflakeType } from '../../../src/engines/snowflake/type.js';
import { VkitError } from '../../../src/errors/index.js';

const { snowflake } = ENGINES;
const isValid = new Ajv2020({ allErrors: true }).compile(snowflake.configSchema);

describe('the URL of a Snowflake database', () => {
  it('becomes configuration and credentials, percent-decoded', () => {
    const url =
      'snowflake://ad%40min:p%2Fss%20w@acme-shop_eu/SHOP/sales%20eu?warehouse=WH&role=READER&connect_timeout=5';
    const parsed = snowflake.parseUrl(url);
    expect(parsed).toEqual({
      config: {
        account: 'acme-shop_eu',
        database: 'SHOP',
        schema: 'sales eu',
        warehouse: 'WH',
        role: 'READER',
        connect_timeout: 5,
      },
      credentials: { username: 'ad@min', password: 'p/ss w' },
    });
    expect(isValid(parsed.config)).toBe(true);
  });

  it('may leave out the schema and the credentials, and name the whole host', () => {
    expect(snowflake.parseUrl('snowflake://acme-shop.snowflakecomputing.com/SHOP/')).toEqual({
      config: { account: 'acme-shop', database: 'SHOP' },
      credentials: {},
    });
  });

  it('may ask for a key pair, and for another address', () => {
    const { config } = snowflake.parseUrl(
      'snowflake://VKIT@acme/SHOP?private_key_file=/k.p8&authenticator=snowflake_jwt&host=p.acme.example&port=8443&protocol=https',
    );
    expect(config).toMatchObject({ private_key_file: '/k.p8', host: 'p.acme.example', port: 8443 });
    expect(isValid(config)).toBe(true);
  });

  it.each(
    Object.entries({
      'another scheme': 'mysql://u:s3cret@h/db',
      'no account': 'snowflake://u:s3cret@/db',
      'no database': 'snowflake://u:s3cret@acme/',
      'more than a schema': 'snowflake://u:s3cret@acme/db/schema/table',
      'a port': 'snowflake://u:s3cret@acme:443/db',
      'an unknown parameter': 'snowflake://u:s3cret@acme/db?s3cret=1',
      'an unknown authenticator': 'snowflake://u:s3cret@acme/db?authenticator=s3cret',
      'a broken escape': 'snowflake://u:s3cret%zz@acme/db',
      'a slash in the password': 'snowflake://u:s3c/ret@acme:x/db s3cret',
      nothing: '',
    }),
  )('is refused with %s, and not repeated', (_, url) => {
    let error: unknown;
    try {
      snowflake.parseUrl(url);
    } catch (thrown) {
      error = thrown;
    }
    if (!(error instanceof VkitError)) throw new Error('it was not refused');
    expect(error.code).toBe('invalid_input');
    const texts = `${error.message} ${error.hint} ${error.stack} ${String(error.cause)}`;
    expect(texts).not.toMatch(/s3c/);
  });
});

describe('the configuration of a Snowflake datasource', () => {
  const least = { account: 'acme-shop', database: 'SHOP' };
  it.each([
    ['a password', { ...least, password: 'x' }],
    ['no database', { account: 'acme-shop' }],
    ['an account that is an address', { ...least, account: 'evil.example/x' }],
    ['a host that is more than one', { ...least, host: 'a@b' }],
    ['another protocol', { ...least, protocol: 'ftp' }],
    ['an unknown authenticator', { ...least, authenticator: 'externalbrowser' }],
  ])('may not have %s', (_, config) => {
    expect(isValid(config)).toBe(false);
    expect(isValid(least)).toBe(true);
  });
});

describe('the normalised type of a Snowflake column', () => {
  const column = { length: null, precision: null, scale: null, collation: null };
  it.each([
    [{ name: 'NUMBER', precision: '38', scale: '0' }, 'bigint'],
    [{ name: 'NUMBER', precision: '9', scale: '0' }, 'integer'],
    [{ name: 'NUMBER', precision: '4', scale: '0' }, 'smallint'],
    [{ name: 'NUMBER', precision: '38', scale: '2' }, 'numeric'],
    [{ name: 'TEXT', length: '16777216' }, 'text'],
    [{ name: 'TEXT', length: '20' }, 'varchar'],
    [{ name: 'FLOAT' }, 'double'],
    [{ name: 'TIMESTAMP_LTZ' }, 'timestamptz'],
    [{ name: 'TIMESTAMP_NTZ' }, 'timestamp'],
    [{ name: 'VARIANT' }, 'json'],
    [{ name: 'ARRAY' }, 'json'],
    [{ name: 'BINARY' }, 'bytes'],
    [{ name: 'VECTOR' }, 'other'],
    [{ name: 'DECFLOAT' }, 'other'],
    [{ name: 'constructor' }, 'other'],
  ])('of %o is %s', (type, expected) => {
    expect(normaliseSnowflakeType({ ...column, ...type })).toBe(expected);
  });
});
