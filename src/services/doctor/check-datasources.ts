import { VkitError } from '../../errors/index.js';
import type { Datasource } from '../../project/parse-datasource-file.js';
import { counted } from '../../util/counted.js';
import { type DoctorCheck, failed, failedBy, ok, skipped, within } from './check.js';

/** How long one database may take to answer; a wrong address costs no more. */
const EACH_MS_MAX = 10_000;
const AT_ONCE = 4;
/** Beyond these a person asks for one: `vkit datasource test`. */
const DATASOURCES_MAX = 50;

/**
 * Whether each database answers, a few at a time. `test` connects, here or from the server that has its password; a login that
 * only the server fetches is the server's to try.
 */
export async function checkDatasources(
  datasources: readonly Pick<Datasource, 'id' | 'credentials'>[],
  test: (id: string) => Promise<{ server: string; latency_ms: number; from?: string }>,
): Promise<DoctorCheck[]> {
  const checks: DoctorCheck[] = [];
  const rest = datasources.slice(0, DATASOURCES_MAX).entries();
  const worker = async () => {
    for (const [index, { id, credentials }] of rest)
      checks[index] = isServers(credentials) ? leftToServer(id) : await checkOne(id, test);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const left = datasources.length - DATASOURCES_MAX;
  if (left <= 0) return checks;
  return [...checks, skipped('datasource', `Not looked at: ${counted(left, 'more datasource')}.`)];
}

function isServers(credentials: Datasource['credentials']): boolean {
  return credentials !== 'env' && credentials !== 'vaultkit';
}

function leftToServer(name: string): DoctorCheck {
  const hint = `vkit datasource test ${name} --remote`;
  return skipped(`datasource.${name}`, 'Only the server fetches its login.', hint);
}

async function checkOne(
  name: string,
  test: Parameters<typeof checkDatasources>[1],
): Promise<DoctorCheck> {
  const id = `datasource.${name}`;
  const work = test(name).then(
    ({ server, latency_ms, from }) => {
      const where = from === undefined ? '' : ` ${from}`;
      return ok(id, `answers${where}: ${server}, ${latency_ms.toFixed(1)} ms`);
    },
    (error: unknown) => {
      const isElsewhere =
        error instanceof VkitError && ['unauthenticated', 'forbidden'].includes(error.code);
      return isElsewhere ? skipped(id, error.message, error.hint) : failedBy(id, error);
    },
  );
  return within(EACH_MS_MAX, work, () =>
    failed(
      id,
      `No answer in ${EACH_MS_MAX / 1_000} s.`,
      `Check the address in its file, and the network: vkit datasource test ${name}`,
      'datasource_unreachable',
    ),
  );
}
