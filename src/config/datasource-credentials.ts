import { readVariable } from './env.js';

/** What the environment says of one datasource with `credentials: env`. */
export interface DatasourceVariables {
  username?: string;
  password?: string;
  /** A connection URL, which may hold both. */
  url?: string;
}

/** The variables of a datasource: `VKIT_DS_<ID>_USERNAME`, `_PASSWORD` and `_URL`, the id in capitals. */
export function datasourceVariableNames(id: string): {
  username: string;
  password: string;
  url: string;
} {
  const prefix = `VKIT_DS_${id.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
  return { username: `${prefix}_USERNAME`, password: `${prefix}_PASSWORD`, url: `${prefix}_URL` };
}

/** Reads the variables of one datasource; a variable that is unset or empty is absent. */
export function readDatasourceVariables(
  id: string,
  env?: Readonly<Record<string, string | undefined>>,
): DatasourceVariables {
  const names = datasourceVariableNames(id);
  const [username, password, url] = [names.username, names.password, names.url].map((name) =>
    readVariable(name, env),
  );
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(url === undefined ? {} : { url }),
  };
}
