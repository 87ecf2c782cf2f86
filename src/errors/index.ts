export { ERROR_CODES, type ErrorCode, type ErrorCodeName, isErrorCodeName } from './codes.js';
export { formatProblem, type Problem } from './problem.js';
export { type ErrorDetails, VkitError } from './vkit-error.js';
