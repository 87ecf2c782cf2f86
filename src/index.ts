export { VkitClient, type VkitClientOptions } from './client/vkit-client.js';
export type * from './client/wire.js';
export {
  ERROR_CODES,
  type ErrorCode,
  type ErrorCodeName,
  type ErrorDetails,
  type Problem,
  VkitError,
} from './errors/index.js';
