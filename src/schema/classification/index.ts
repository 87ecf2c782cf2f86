export {
  CATEGORIES,
  type Category,
  type Classification,
  type Classifier,
  type ClassifierInput,
  type ClassifierRule,
  type Evidence,
  type EvidenceOrigin,
} from './classification.js';
export { classifyField } from './classify-field.js';
export { createClassifier } from './create-classifier.js';
