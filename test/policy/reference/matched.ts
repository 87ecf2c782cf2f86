import type { Bundle } from '../../../src/bundle/model.js';
import type { EvaluationInput, Reference } from '../../../src/policy/model.js';
import { askersOf } from './askers.js';
import { opinionOf } from './opinion.js';

const SILENT = () => {};

/**
 * Whether "another policy already matched" a reference, for everyone who asks: decidedly, and a dataset by a policy of its
 * own. On such references a further restriction never widens.
 */
export function isMatched(bundle: Bundle, input: EvaluationInput, reference: Reference): boolean {
  const question = { bundle, input, note: SILENT };
  return askersOf(bundle, input, SILENT).every(
    (asker) => opinionOf(question, asker, reference).matched,
  );
}
