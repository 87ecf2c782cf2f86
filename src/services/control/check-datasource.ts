import { findSecrets } from '../../bundle/find-secrets.js';
import type { Engine } from '../../engines/contract.js';
import { type Problem, VkitError } from '../../errors/index.js';
import type { DatasourceRow } from '../../store/model.js';
import { checkSchema } from '../../util/check-schema.js';
import { nearest } from '../../util/levenshtein.js';
import { UNSAFE_HINT, unsafeHost } from '../datasource-vault.js';
import type { ControlContext } from './context.js';

/**
 * The engine of a datasource that is to be kept, with the password that is to be sealed for it. Throws `validation` with
 * everything that is wrong, as a project's file is checked: nothing that looks like a secret, a configuration of its engine's
 * form; and a password that goes nowhere in clear.
 */
export function checkDatasource(
  { engines, settings }: Pick<ControlContext, 'engines' | 'settings'>,
  row: DatasourceRow,
  password: string | undefined,
): Engine {
  const engine = Object.hasOwn(engines, row.engine) ? engines[row.engine] : undefined;
  const problems = engine ? configProblems(engine, row) : [unknownEngine(row.engine, engines)];
  if (engine && problems.length === 0) {
    const problem = loginProblem(engine, row, password, settings.clearPasswordHosts);
    if (problem) problems.push(problem);
  }
  if (engine && problems.length === 0) return engine;
  const [hint] = problems.flatMap(({ suggestion }) => suggestion ?? []);
  throw new VkitError('validation', `The datasource ${row.id} is not valid.`, {
    ...(hint === undefined ? {} : { hint }),
    details: { problems: problems.map(({ suggestion, ...problem }) => problem) },
  });
}

function unknownEngine(name: string, engines: ControlContext['engines']): Problem {
  const names = Object.keys(engines);
  const near = nearest(name, names);
  return {
    pointer: '/engine',
    code: 'unknown_engine',
    message: 'is no engine that is known',
    suggestion:
      near === undefined ? `Known engines: ${names.join(', ')}.` : `Did you mean "${near}"?`,
  };
}

function configProblems(engine: Engine, { config, include, exclude }: DatasourceRow): Problem[] {
  const secrets = findSecrets({ config, include, exclude }).map(
    ({ path, message }): Problem => ({
      pointer: path.map((step) => `/${escaped(String(step))}`).join(''),
      code: 'secret_inline',
      message,
      suggestion: 'Give the password as "password": it is sealed.',
    }),
  );
  const known = new Set(secrets.map(({ pointer }) => pointer));
  const others = checkSchema(engine.configSchema, config)
    .map(({ pointer, code, message, suggestion }) => ({
      pointer: `/config${pointer}`,
      code,
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    }))
    // A secret under an unknown key is one problem to people, not two.
    .filter(({ pointer }) => !known.has(pointer));
  return [...secrets, ...others];
}

function escaped(step: string): string {
  return step.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1');
}

function loginProblem(
  engine: Engine,
  { config, username }: DatasourceRow,
  password: string | undefined,
  clearHosts: readonly string[],
): Problem | undefined {
  if (engine.usesOwnLogin) {
    const message = 'logs in with what the server has: only a reviewed bundle says where that goes';
    return { pointer: '/engine', code: 'unsupported', message };
  }
  if (!engine.needsCredentials && (username !== null || password !== undefined)) {
    const message = `is of no use: ${engine.displayName} has no logins`;
    return { pointer: username === null ? '/password' : '/username', code: 'unsupported', message };
  }
  if (password !== undefined && username === null) {
    const message = 'is missing: nobody is named whose password it is';
    return { pointer: '/username', code: 'missing_key', message };
  }
  const isSecret = password !== undefined && password !== '';
  if (!isSecret || unsafeHost(config, engine, clearHosts) === null) return undefined;
  return {
    pointer: '/config/ssl_mode',
    code: 'wrong_value',
    message: 'lets the password go without TLS that is verified',
    suggestion: UNSAFE_HINT,
  };
}
