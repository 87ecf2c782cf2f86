import { VkitError } from '../errors/index.js';
import { errorCode } from './driver-error.js';

/**
 * Imports a driver. The database's package is optional: where it is not installed, throws
 * `dependency_missing` with the command that installs it.
 */
export async function loadDriver<T>(packageName: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (errorCode(cause) !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new VkitError('dependency_missing', `The package "${packageName}" is not installed.`, {
      hint: `npm install ${packageName}`,
      cause,
    });
  }
}
