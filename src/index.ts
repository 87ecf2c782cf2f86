export {
  ERROR_CODES,
  type ErrorCode,
  type ErrorCodeName,
  type ErrorDetails,
  type Problem,
  VkitError,
} from './errors/index.js';
