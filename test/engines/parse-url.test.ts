import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { ENGINES, engineByName } from '../../src/engines/index.js';
import { VkitError } from '../../src/errors/index.js';

const { bigquery, mysql, postgres, sqlite } = ENGINES;

describe('the URL of a PostgreSQL database', () => {
  it('becomes configuration and credentials, percent-decoded', () => {
    const url =
      'postgresql://ad%40min:p%2Fss%20w@db.internal:6543/shop%20eu?sslmode=verify-full&sslrootcert=/ca.pem&connect_timeout=5&schema=sales';
    expect(postgres.parseUrl(url)).toEqual({
      config: {
        host: 'db.internal',
        port: 6543,
        database: 'shop eu',
        ssl_mode: 'verify-full',
        ssl_root_cert: '/ca.pem',
        connect_timeout: 5,
        schema: 'sales',
      },
      credentials: { username: 'ad@min', password: 'p/ss w' },
    });
  });

  it('has the default port, and no credentials where it names none', () => {
    expect(postgres.parseUrl('postgres://[::1]/shop')).toEqual({
      config: { host: '::1', port: 5432, database: 'shop' },
      credentials: {},
    });
  });

  const refused: Record<string, string> = {
    'another scheme': 'mysql://u:s3cret@h/db',
    'no database': 'postgres://u:s3cret@h/',
    'no host': 'postgres://u:s3cret@/db',
    'an unknown parameter': 'postgres://u:s3cret@h/db?s3cret=1',
    'an unknown ssl mode': 'postgres://u:s3cret@h/db?sslmode=s3cret',
    'a timeout of no number': 'postgres://u:s3cret@h/db?connect_timeout=s3cret',
    'a broken escape': 'postgres://u:s3cret%zz@h/db',
    'a slash in the password': 'postgres://u:s3c/ret@h:x/db s3cret',
    nothing: '',
  };
  for (const [what, url] of Object.entries(refused)) {
    it(`is refused with ${what}, and not repeated`, () => {
      const error = thrownBy(() => postgres.parseUrl(url));
      expect(error.code).toBe('invalid_input');
      const texts = `${error.message} ${error.hint} ${error.stack} ${String(error.cause)}`;
      expect(texts).not.toMatch(/s3c/);
    });
  }
});

describe('the URL of a MySQL database', () => {
  it("becomes configuration and credentials, under MySQL's names or the configuration's", () => {
    const url =
      'mysql://ad%40min:p%2Fss%20w@db.internal:3307/shop%20eu?ssl-mode=VERIFY_IDENTITY&ssl-ca=/ca.pem&connect-timeout=5';
    const expected = {
      config: {
        host: 'db.internal',
        port: 3307,
        database: 'shop eu',
        ssl_mode: 'verify-full',
        ssl_root_cert: '/ca.pem',
        connect_timeout: 5,
      },
      credentials: { username: 'ad@min', password: 'p/ss w' },
    };
    expect(mysql.parseUrl(url)).toEqual(expected);
    const own =
      'mariadb://ad%40min:p%2Fss%20w@db.internal:3307/shop%20eu?ssl_mode=verify-full&ssl_root_cert=/ca.pem&connect_timeout=5';
    expect(mysql.parseUrl(own)).toEqual(expected);
  });

  const modes = {
    DISABLED: 'disable',
    PREFERRED: 'prefer',
    REQUIRED: 'require',
    VERIFY_CA: 'verify-ca',
    VERIFY_IDENTITY: 'verify-full',
  };
  it.each(Object.entries(modes))('takes ssl-mode=%s for %s', (theirs, ours) => {
    const { config } = mysql.parseUrl(`mysql://h/db?ssl-mode=${theirs}`);
    expect(config).toEqual({ host: 'h', port: 3306, database: 'db', ssl_mode: ours });
  });

  const refused: Record<string, string> = {
    'another scheme': 'postgres://u:s3cret@h/db',
    'no database': 'mysql://u:s3cret@h/',
    'an unknown parameter': 'mysql://u:s3cret@h/db?s3cret=1',
    'a flag of the package': 'mysql://u:s3cret@h/db?multipleStatements=true',
    'an unknown ssl mode': 'mysql://u:s3cret@h/db?ssl-mode=s3cret',
    'a mode that is a name of every object': 'mysql://u:s3cret@h/db?ssl-mode=constructor',
  };
  for (const [what, url] of Object.entries(refused)) {
    it(`is refused with ${what}, and not repeated`, () => {
      const error = thrownBy(() => mysql.parseUrl(url));
      expect(error.code).toBe('invalid_input');
      expect(`${error.message} ${error.hint} ${error.stack}`).not.toMatch(/s3c/);
    });
  }
});

describe('the URL of a SQLite file', () => {
  const cases: Record<string, string> = {
    'sqlite:data.db': 'data.db',
    'sqlite:./a b.db': './a b.db',
    'sqlite:///var/data.db': '/var/data.db',
    'sqlite:/var/data.db': '/var/data.db',
    'file:///var/a%20b.db': '/var/a b.db',
    '/var/data.db': '/var/data.db',
    'data.db': 'data.db',
    'C:\\data.db': 'C:\\data.db',
  };
  for (const [url, path] of Object.entries(cases)) {
    it(`takes ${url}`, () => {
      expect(sqlite.parseUrl(url)).toEqual({ config: { path }, credentials: {} });
    });
  }

  for (const url of ['', 'sqlite:', 'sqlite::memory:', 'postgres://h/db', 'file://host/a.db']) {
    it(`refuses "${url}"`, () => {
      expect(thrownBy(() => sqlite.parseUrl(url)).code).toBe('invalid_input');
    });
  }
});

describe('the URL of a BigQuery dataset', () => {
  it('becomes configuration, and has no credentials', () => {
    const url =
      'bigquery://acme-prod/sales?location=EU&maximum_bytes_billed=10000000000&credentials_file=/keys/a%20b.json';
    expect(bigquery.parseUrl(url)).toEqual({
      config: {
        project: 'acme-prod',
        dataset: 'sales',
        location: 'EU',
        maximum_bytes_billed: 10_000_000_000,
        credentials_file: '/keys/a b.json',
      },
      credentials: {},
    });
    expect(bigquery.parseUrl('bigquery://acme.test%3Aprod/sales').config).toEqual({
      project: 'acme.test:prod',
      dataset: 'sales',
    });
  });

  const refused: Record<string, string> = {
    'another scheme': 'https://acme-prod/s3cret',
    'no dataset': 'bigquery://s3cret-prod',
    'a user': 'bigquery://u:s3cret@acme-prod/sales',
    'an unknown parameter': 'bigquery://acme-prod/sales?s3cret=1',
    'a bound of no number': 'bigquery://acme-prod/sales?maximum_bytes_billed=s3cret',
    'a broken escape': 'bigquery://acme-prod/s3cret%zz',
  };
  for (const [what, url] of Object.entries(refused)) {
    it(`is refused with ${what}, and not repeated`, () => {
      const error = thrownBy(() => bigquery.parseUrl(url));
      expect(error.code).toBe('invalid_input');
      expect(`${error.message} ${error.hint} ${error.stack}`).not.toMatch(/s3c/);
    });
  }

  it('leads nowhere but to Google, or to an emulator on this machine', () => {
    const check = new Ajv2020().compile(bigquery.configSchema);
    const valid = (api_endpoint: string) => {
      return check({ project: 'acme-prod', dataset: 'sales', api_endpoint });
    };
    expect(valid('https://bigquery-eu.p.googleapis.com')).toBe(true);
    expect(valid('http://127.0.0.1:9050')).toBe(true);
    for (const endpoint of [
      'https://evil.test',
      'https://evil.test/.googleapis.com',
      'https://googleapis.com.evil.test',
      'https://evil.test#.googleapis.com',
      'http://bigquery.googleapis.com',
      'http://10.0.0.1:9050',
      'http://127.0.0.1:9050@evil.test',
    ]) {
      expect([endpoint, valid(endpoint)]).toEqual([endpoint, false]);
    }
  });
});

describe('the registry of engines', () => {
  it('finds engines by name and nothing else', () => {
    expect(engineByName('sqlite')).toBe(sqlite);
    expect(engineByName('oracle')).toBeUndefined();
    expect(engineByName('constructor')).toBeUndefined();
  });

  it('names every engine, and its dialect, as its key', () => {
    for (const [name, engine] of Object.entries(ENGINES)) {
      expect([engine.name, engine.dialect.name]).toEqual([name, name]);
    }
  });
});

function thrownBy(work: () => unknown): VkitError {
  try {
    work();
  } catch (error) {
    if (error instanceof VkitError) return error;
    throw error;
  }
  throw new Error('It did not throw.');
}
