import { VkitError } from '../errors/index.js';
import { promptText } from './prompt.js';

/** The reason of `--reason`, or else of a prompt. Blanks are none: a record that says nothing helps nobody. */
export async function requireReason(given: string | undefined): Promise<string> {
  const reason = given ?? (await promptText('Reason', '--reason'));
  if (reason.trim() !== '') return reason;
  throw new VkitError('usage', 'The reason is empty.', {
    hint: 'Say why in a few words: --reason "…"',
    details: { flag: '--reason' },
  });
}
