import { VkitError } from '../../errors/index.js';
import { type AddressRules, checkOutboundUrl } from '../../util/outbound.js';
import type { OutboundAnswer, OutboundRequest } from '../../util/outbound-fetch.js';
import { type BackendType, textFields, unavailable } from './backend.js';

type SecretSource = { env: string } | { file: string };

export interface HashicorpVaultConfig {
  /** https://HOST:8200 */
  address: string;
  namespace?: string;
  /** Of the KV engine, version 2; `secret` if absent. */
  mount?: string;
  ca_file?: string;
  auth:
    | { token: SecretSource }
    | { approle: { role_id: string; secret_id: SecretSource; mount?: string } }
    | { kubernetes: { role: string; jwt_file: string; mount?: string } };
}

const NAME = 'HashiCorp Vault';
const TIMEOUT_MS = 5_000;
const ATTEMPTS_MAX = 3;
const PAUSE_MS = 250;
/** Too many requests; a server that is starting, sealed, standing by, or behind something that is down. */
const RETRIED: readonly number[] = [412, 429, 472, 473, 500, 502, 503, 504];

/** The KV secrets engine, version 2 (`GET /v1/MOUNT/data/PATH`), with a login for each secret that is read. */
export function hashicorpVault(rules: AddressRules): BackendType<HashicorpVaultConfig> {
  return {
    open(config, key, deps) {
      const base = checkOutboundUrl(config.address, `${key}.address`, rules);
      const caFile = config.ca_file;
      const common = {
        'x-vault-request': 'true',
        ...(config.namespace === undefined ? {} : { 'x-vault-namespace': config.namespace }),
      };
      const call = async (path: string, request: OutboundRequest) => {
        const ca = caFile && (await deps.secret({ file: caFile }, `${key}.ca_file`));
        const fetch = deps.outbound(ca || undefined);
        const url = new URL(`${base.href.replace(/\/$/, '')}/v1/${path}`);
        const headers = { ...common, ...request.headers };
        for (let attempt = 1; ; attempt += 1) {
          const answer = await fetch(url, { ...request, headers, timeoutMs: TIMEOUT_MS }).catch(
            (cause: unknown) => {
              const message = cause instanceof VkitError ? cause.message : `${NAME} failed.`;
              throw new VkitError('secret_unavailable', message, {
                hint: `Check ${key}.address in vkit.server.yaml, and that it runs.`,
                cause,
              });
            },
          );
          if (!RETRIED.includes(answer.status) || attempt === ATTEMPTS_MAX) return answer;
          await deps.wait(PAUSE_MS * 2 ** (attempt - 1));
        }
      };
      const logIn = async (method: string, body: object): Promise<string> => {
        const headers = { 'content-type': 'application/json' };
        const request = { method: 'POST' as const, headers, body: JSON.stringify(body) };
        const answer = await call(`auth/${encoded(method)}/login`, request);
        const auth = answer.status === 200 ? objectOf(answer, 'auth') : null;
        const token = auth?.client_token;
        if (typeof token === 'string' && token !== '') return token;
        throw unavailable(NAME, `refused the login (${answer.status})`, `Check ${key}.auth.`);
      };
      const tokenOf = async (): Promise<string> => {
        const { auth } = config;
        if ('token' in auth) return deps.secret(auth.token, `${key}.auth.token`);
        if ('approle' in auth) {
          const { role_id, secret_id: source, mount = 'approle' } = auth.approle;
          const secret_id = await deps.secret(source, `${key}.auth.approle.secret_id`);
          return logIn(mount, { role_id, secret_id });
        }
        const { role, jwt_file, mount = 'kubernetes' } = auth.kubernetes;
        const jwt = await deps.secret({ file: jwt_file }, `${key}.auth.kubernetes.jwt_file`);
        return logIn(mount, { role, jwt });
      };
      return {
        async read({ path }) {
          const headers = { 'x-vault-token': await tokenOf() };
          const { mount = 'secret' } = config;
          const answer = await call(`${encoded(mount)}/data/${encoded(path)}`, { headers });
          if (answer.status === 404) {
            throw unavailable(
              NAME,
              `has no secret ${path}`,
              `Write it: vault kv put ${mount}/${path} …`,
            );
          }
          if (answer.status === 403) {
            throw unavailable(
              NAME,
              `does not let the server read ${path}`,
              `Give its policy "read" on ${mount}/data/${path}.`,
            );
          }
          const fields = answer.status === 200 ? textFields(objectOf(answer, 'data')?.data) : null;
          if (fields) return fields;
          throw unavailable(
            NAME,
            answer.status === 200 ? 'answered what is no secret' : `answered ${answer.status}`,
            `Check ${key}.mount, which is to be of version 2 of the KV engine, and the log of the server asked.`,
          );
        },
      };
    },
  };
}

/** An object of the answer's body; null for anything else. */
function objectOf({ body, isCut }: OutboundAnswer, name: string): Record<string, unknown> | null {
  if (isCut) return null;
  try {
    const found = (JSON.parse(body) as Record<string, unknown> | null)?.[name];
    return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : null;
  } catch {
    // The parser's error would repeat the body, which may hold a secret.
    return null;
  }
}

function encoded(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
