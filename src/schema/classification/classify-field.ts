import type { Classification, Classifier, ClassifierInput } from './classification.js';
import { createClassifier } from './create-classifier.js';

let shipped: Classifier | undefined;

/**
 * What a column probably holds, by the shipped rules alone: from its name, its type, its comment and its dataset's name,
 * never from its values. Total: every input gets an answer, `generic`, `internal`, `low` where nothing speaks.
 */
export function classifyField(input: ClassifierInput): Classification {
  // Made at the first call: a command that classifies nothing does not pay for the rules.
  shipped ??= createClassifier();
  return shipped(input);
}
