import type { AddressRules } from '../../util/outbound.js';
import { type AwsSecretsConfig, awsSecrets } from './aws-secrets.js';
import type { BackendDeps, BackendType, SecretBackend } from './backend.js';
import { type FileBackendConfig, file } from './file.js';
import { type HashicorpVaultConfig, hashicorpVault } from './hashicorp-vault.js';

/** Every backend by the name that datasource files have for it. */
export const BACKENDS = {
  file: () => file,
  vault: hashicorpVault,
  'aws-secrets': awsSecrets,
} as const satisfies Record<string, (rules: AddressRules) => BackendType<never>>;

export type BackendName = keyof typeof BACKENDS;

export interface BackendConfigs {
  file: FileBackendConfig;
  vault: HashicorpVaultConfig;
  'aws-secrets': AwsSecretsConfig;
}

/** The backend of one part of the configuration, which was checked against its schema. Throws `config_invalid`. */
export function openBackend<N extends BackendName>(
  name: N,
  config: BackendConfigs[N],
  rules: AddressRules,
  deps: BackendDeps,
): SecretBackend {
  const type = BACKENDS[name](rules) as BackendType<BackendConfigs[N]>;
  return type.open(config, `credential_backends.${name}`, deps);
}
