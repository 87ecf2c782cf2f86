export type { Row, RowStream } from './client/row-stream.js';
export {
  type AuditOptions,
  type DiscoverOptions,
  type ListOptions,
  type NewAgentToken,
  type NewUser,
  type SubmitOptions,
  VkitClient,
  type VkitClientOptions,
} from './client/vkit-client.js';
export type { WaitOptions } from './client/wait-for-decision.js';
export type * from './client/wire.js';
export {
  ERROR_CODES,
  type ErrorCode,
  type ErrorCodeName,
  type ErrorDetails,
  type Problem,
  VkitError,
} from './errors/index.js';
