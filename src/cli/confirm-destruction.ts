import { VkitError } from '../errors/index.js';
import { canPrompt, confirm } from './prompt.js';

/**
 * Asks before something is taken away for good, unless `--force` was given or nobody is there to answer: a script that
 * names what it destroys means it. Throws `interrupted` when the answer is no.
 */
export async function confirmDestruction(
  question: string,
  flags: { force: boolean },
): Promise<void> {
  if (flags.force || !canPrompt()) return;
  if (await confirm(question, '--force')) return;
  throw new VkitError('interrupted', 'Nothing was changed.');
}
