import { describe, expect, it } from 'vitest';
import {
  parseDatasourceFile,
  printDatasource,
  toBundleDatasource,
} from '../../src/project/parse-datasource-file.js';
import { parseSettings } from '../../src/project/parse-settings.js';
import { engineSchemas } from './files.js';

const FILE = 'config/datasources/production_db.yaml';
const GOOD = `id: production_db
engine: postgres
environment: production
region: US
credentials: env
config: {host: db.internal, port: 5432, database: analytics}
include: ["public.*"]
`;

function parse(text: string, file = FILE) {
  return parseDatasourceFile(text, file, engineSchemas);
}

function places(text: string, file = FILE): string[] {
  return parse(text, file).problems.map(({ line, column, code }) => `${line}:${column} ${code}`);
}

describe('parseDatasourceFile', () => {
  it('reads the file of the specification', () => {
    expect(parse(GOOD)).toEqual({
      datasource: {
        id: 'production_db',
        engine: 'postgres',
        environment: 'production',
        region: 'US',
        credentials: 'env',
        config: { host: 'db.internal', port: 5432, database: 'analytics' },
        include: ['public.*'],
      },
      problems: [],
    });
  });

  it('knows no region and takes the credentials from the environment unless told', () => {
    const { datasource } = parse(
      'id: shop\nengine: sqlite\nenvironment: development\nconfig: {path: ./shop.db}\n',
      'shop.yaml',
    );
    expect(datasource).toMatchObject({ region: null, credentials: 'env' });
  });

  it('takes a secret backend with the names of its keys', () => {
    const text = GOOD.replace(
      'credentials: env',
      'credentials: {backend: vault, path: db/prod, username_key: user, password_key: pass}',
    );
    expect(parse(text).problems).toEqual([]);
  });

  it.each([
    ['an unknown key', GOOD.replace('region:', 'regoin:'), '4:1 unknown_key'],
    [
      'an unknown engine',
      GOOD.replace('engine: postgres', 'engine: postgress'),
      '2:1 unknown_engine',
    ],
    [
      'an id that is not the file’s name',
      GOOD.replace('id: production_db', 'id: other'),
      '1:1 id_mismatch',
    ],
    [
      'an id with a hyphen',
      GOOD.replace('id: production_db', 'id: production-db'),
      '1:1 wrong_value',
    ],
    ['an unknown configuration key', GOOD.replace('port:', 'prot:'), '6:29 unknown_key'],
    ['a missing configuration key', GOOD.replace('host: db.internal, ', ''), '6:1 missing_key'],
    ['no environment', GOOD.replace('environment: production\n', ''), '1:1 missing_key'],
    ['a custom tag', GOOD.replace('US', '!!js/function x'), '4:23 yaml_tag'],
    ['a merge key', 'a: &a {x: 1}\nb:\n  <<: *a\n', '3:3 yaml_merge'],
    ['__proto__', `${GOOD}__proto__: {x: 1}\n`, '8:1 yaml_key'],
    ['a repeated key', `${GOOD}id: other\n`, '8:1 yaml_syntax'],
    ['a broken file', 'id: [\n', '2:1 yaml_syntax'],
  ])('refuses %s and says where', (_name, text, place) => {
    expect(parse(text).datasource).toBeNull();
    expect(places(text)).toContain(place);
  });

  it.each([
    ['a password', GOOD.replace('port: 5432', 'password: hunter2')],
    ['a password at the top', `${GOOD}password: hunter2\n`],
    [
      'an address with a user',
      GOOD.replace('host: db.internal', 'host: "postgres://u:hunter2@db/x"'),
    ],
    ['a token in a list', `${GOOD}extra: [{api_token: hunter2}]\n`],
    [
      'a password among credentials',
      GOOD.replace('credentials: env', 'credentials: {backend: vault, path: x, password: hunter2}'),
    ],
  ])('refuses %s as a secret and does not repeat it', (_name, text) => {
    const { datasource, problems } = parse(text);
    expect(datasource).toBeNull();
    expect(problems.map(({ code }) => code)).toContain('secret_inline');
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  it('reports all problems at once, each one once', () => {
    expect(
      places(
        GOOD.replace('environment', 'enviroment').replace(
          'credentials: env',
          'credentials: vautlkit',
        ),
      ),
    ).toEqual(['1:1 missing_key', '3:1 unknown_key', '5:1 wrong_value']);
    expect(places(`${GOOD}password: hunter2\n`)).toEqual(['8:1 secret_inline']);
  });

  it('reports an unknown key and what is wrong with id, engine and config together', () => {
    expect(
      places(
        `${GOOD.replace('id: production_db', 'id: other').replace('port:', 'prot:')}bogus: 1\n`,
      ),
    ).toEqual(['1:1 id_mismatch', '6:29 unknown_key', '8:1 unknown_key']);
    expect(
      places(`bogus: 1\n${GOOD.replace('postgres', 'postgress').replace('US', '[US]')}`),
    ).toEqual(['1:1 unknown_key', '3:1 unknown_engine', '5:1 wrong_value']);
    expect(places('id: production_db\nengine: 5\nconfig: []\n')).toEqual([
      '1:1 missing_key',
      '2:1 wrong_type',
      '3:1 wrong_type',
    ]);
  });

  it('suggests what was probably meant', () => {
    expect(parse(GOOD.replace('region:', 'regoin:')).problems[0]?.suggestion).toBe(
      'Did you mean "region"?',
    );
    expect(
      parse(GOOD.replace('engine: postgres', 'engine: postgress')).problems[0]?.suggestion,
    ).toBe('Did you mean "postgres"?');
  });

  it('reads back what printDatasource writes', () => {
    const { datasource } = parse(GOOD);
    if (datasource === null) throw new Error('The file is good.');
    expect(parse(printDatasource(datasource))).toEqual({ datasource, problems: [] });
  });

  it('gives the bundle what the server needs, and neither globs nor paths of secrets', () => {
    const { datasource } = parse(GOOD);
    if (datasource === null) throw new Error('The file is good.');
    expect(toBundleDatasource(datasource)).toEqual({
      name: 'production_db',
      type: 'postgres',
      environment: 'production',
      region: 'US',
      config: { host: 'db.internal', port: 5432, database: 'analytics' },
      credentials: 'env',
    });
  });
});

describe('parseSettings', () => {
  it('denies by default and knows any role where none are listed', () => {
    expect(parseSettings('', 'vkit.yaml')).toEqual({
      settings: { org: null, default_action: 'deny', roles: null, clearances: null, repo: null },
      problems: [],
    });
  });

  it('refuses unknown keys with a suggestion and falls back to what denies', () => {
    const { settings, problems } = parseSettings(
      'org: acme\ndefault_acton: allow\nroles: analyst\n',
      'vkit.yaml',
    );
    expect(settings.default_action).toBe('deny');
    expect(problems.map(({ line, code, suggestion }) => [line, code, suggestion])).toEqual([
      [2, 'unknown_key', 'Did you mean "default_action"?'],
      [3, 'wrong_type', undefined],
    ]);
  });

  it('refuses a repository name with user information', () => {
    expect(parseSettings('repo: user:token@github.com/a/b\n', 'vkit.yaml').problems).toHaveLength(
      1,
    );
  });
});
