import type { Sensitivity } from '../model.js';

/** What kind of thing a field is under a policy's `category`. */
export const CATEGORIES = ['pii', 'financial', 'phi', 'pci', 'secrets', 'internal'] as const;
export type Category = (typeof CATEGORIES)[number];

/** Where the evidence for a classification was found. */
export type EvidenceOrigin = 'name' | 'type' | 'comment' | 'dataset';

/** One reason: the rule that spoke and the words, or the type, it spoke about. It never holds a value of the column. */
export interface Evidence {
  rule: string;
  matched: string[];
  origin: EvidenceOrigin;
}

/** What a column is taken to hold until a human says otherwise. `because` is empty when no rule had anything to say. */
export interface Classification {
  /** snake_case: `email`, `person_name`, … or `generic`. */
  classification: string;
  category: Category;
  sensitivity: Sensitivity;
  because: Evidence[];
}

/** The column to classify. `type` is a normalised type of `FIELD_TYPES`, or an array of one (`text[]`). */
export interface ClassifierInput {
  /** The table's name, with or without its schema. */
  dataset: string;
  name: string;
  type: string;
  comment?: string | null;
}

/**
 * One rule, as plain data, so that the same shape can stand in a YAML file. A rule speaks when one of its `phrases` is
 * in the column's name, or of its `comment` phrases in the column's comment, or when its `typesAlone` hold the type; and
 * when nothing it excludes is there.
 *
 * A phrase is words that stand next to each other, in lower case and without accents: `date of birth`. `^` before the
 * first word ties it to the beginning of the name, `$` after the last one to its end, and `@person` stands for any word
 * of that word group. Words are written in the singular; a plural in the name matches too.
 */
export interface ClassifierRule {
  /** snake_case, unique; `because` names it. */
  id: string;
  classification: string;
  category: Category;
  sensitivity: Sensitivity;
  phrases?: readonly string[];
  /** Phrases that are enough when they stand in the comment, whatever the name says. */
  comment?: readonly string[];
  /** Types that are enough on their own. */
  typesAlone?: readonly string[];
  /**
   * Types, or groups of them (`text`, `number`, `date`, `flag`, `any`), that can hold such a value; default `text`.
   * JSON, XML, binary, array and unknown types can hold anything and pass always.
   */
  types?: readonly string[];
  /** At least one of these words, or groups, is in the dataset's name. */
  dataset?: readonly string[];
  /** None of these words, or groups, is in the dataset's name. */
  datasetForbids?: readonly string[];
  /** At least one of these words, or groups, is in the name beside the phrase. */
  requires?: readonly string[];
  /** None of these words, or groups, is in the name beside the phrase. */
  forbids?: readonly string[];
  /** Of a project's rule: it holds also where a shipped rule says `high` and this one less. */
  lowers?: boolean;
}

/** Words in a column's name under which a shipped rule is not heard. */
export interface SilencedRule {
  rule: string;
  words: readonly string[];
}

/** What a project says of classification, beside the shipped rules. */
export interface ProjectClassifiers {
  rules: readonly ClassifierRule[];
  off: readonly SilencedRule[];
}

/** A rule's reading of one column. */
export type Classifier = (input: ClassifierInput) => Classification;
