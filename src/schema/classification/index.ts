export type {
  Category,
  Classification,
  Classifier,
  ClassifierRule,
} from './classification.js';
export { classifyField } from './classify-field.js';
export { createClassifier } from './create-classifier.js';
