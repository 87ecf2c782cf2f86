import { describe, expect, it } from 'vitest';
import { readDatasourceVariables } from '../../src/config/datasource-credentials.js';

describe('the variables of a datasource', () => {
  it('are named after its id in capitals, and absent when empty', () => {
    const env = {
      VKIT_DS_PRODUCTION_DB_USERNAME: 'ada',
      VKIT_DS_PRODUCTION_DB_PASSWORD: '',
      VKIT_DS_OTHER_URL: 'postgres://h/d',
    };
    expect(readDatasourceVariables('production_db', env)).toEqual({ username: 'ada' });
    expect(readDatasourceVariables('other', env)).toEqual({ url: 'postgres://h/d' });
    expect(readDatasourceVariables('none', env)).toEqual({});
  });
});
