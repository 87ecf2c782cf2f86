import { VkitError } from '../../errors/index.js';
import { type AddressRules, checkOutboundUrl } from '../../util/outbound.js';
import { type BackendType, fieldsOfText, unavailable } from './backend.js';

export interface AwsSecretsConfig {
  region: string;
  /** Absent: the region's own. */
  endpoint?: string;
}

const NAME = 'AWS Secrets Manager';
const PACKAGE = '@aws-sdk/client-secrets-manager';
const TIMEOUT_MS = 10_000;
const ATTEMPTS_MAX = 3;

/** What of the API's errors (GetSecretValue, "Errors"; "Common Errors") is to be said. */
const REASONS: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  ResourceNotFoundException: ['has no such secret', 'Check its name or ARN, and the region.'],
  AccessDeniedException: [
    'does not let the server read the secret',
    'Give its role secretsmanager:GetSecretValue on it.',
  ],
  DecryptionFailure: [
    'cannot decrypt the secret',
    "Give the server's role kms:Decrypt on its key.",
  ],
  UnrecognizedClientException: ["does not know the server's credentials", 'Check them.'],
  InvalidSignatureException: ["refused the server's signature", 'Check its clock and credentials.'],
  ExpiredTokenException: ["says that the server's credentials have expired", 'Renew them.'],
  InvalidRequestException: ['has marked the secret for deletion', 'Restore it.'],
  CredentialsProviderError: ['is not asked: the server has no credentials', 'Give it a role.'],
};

/** GetSecretValue of AWS Secrets Manager, with the credentials that the SDK finds (variables, role of the machine or pod). */
export function awsSecrets(rules: AddressRules): BackendType<AwsSecretsConfig> {
  return {
    open({ region, endpoint }, key) {
      if (endpoint !== undefined) checkOutboundUrl(endpoint, `${key}.endpoint`, rules);
      return {
        async read({ path }) {
          const { SecretsManagerClient, GetSecretValueCommand } = await load();
          const client = new SecretsManagerClient({
            region,
            maxAttempts: ATTEMPTS_MAX,
            ...(endpoint === undefined ? {} : { endpoint }),
          });
          try {
            const answer = await client.send(new GetSecretValueCommand({ SecretId: path }), {
              abortSignal: AbortSignal.timeout(TIMEOUT_MS),
            });
            if (answer.SecretString !== undefined) return fieldsOfText(answer.SecretString);
          } catch (cause) {
            const name = cause instanceof Error ? cause.name : '';
            const known = Object.hasOwn(REASONS, name) ? REASONS[name] : undefined;
            const [why, hint] = known ?? [
              'cannot be reached, or answers with an error',
              `Check ${key}, the network and the log of the server.`,
            ];
            throw unavailable(NAME, why, hint, new Error(name));
          } finally {
            client.destroy();
          }
          throw unavailable(NAME, 'has no text in the secret', 'Store it as text or JSON.');
        },
      };
    },
  };
}

/** Loaded only where it is used; the package is optional. */
async function load() {
  try {
    return await import('@aws-sdk/client-secrets-manager');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new VkitError('dependency_missing', `The package "${PACKAGE}" is not installed.`, {
      hint: `npm install ${PACKAGE}`,
      cause,
    });
  }
}
