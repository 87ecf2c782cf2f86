import type { JoinType } from '../../../src/aql/model.js';
import type { FieldVisibility } from '../../../src/aql/visibility.js';
import type { Decimal } from './decimal.js';

export interface ReferenceField {
  name: string;
  /** The normalised type. */
  type: string;
  nullable: boolean;
  classification?: string;
}

/** A dataset with its rows; cells are spelled as `readValue` reads them. */
export interface ReferenceDataset {
  name: string;
  fields: readonly ReferenceField[];
  primaryKey: readonly string[];
  uniqueKeys: readonly (readonly string[])[];
  rows: readonly (readonly (string | null)[])[];
}

/** What the reference is asked about beside the query. */
export interface ReferenceWorld {
  datasets: readonly ReferenceDataset[];
  visibility(dataset: string, field: string): FieldVisibility;
  /** The decision's `max_rows`. */
  maxRows: number | null;
  limits: EngineLimits;
  tokens: ReferenceTokens;
}

/** The tokens of `tokenize`: whatever they look like, they are the same for the same text and domain. */
export interface ReferenceTokens {
  seal(text: string, domain: string): string;
  /** `undefined` for what is no token of the domain. */
  open(token: string, domain: string): string | undefined;
  orderSalt: string;
}

/** The greatest integer, and the digits of a decimal, all of them and those after its point. */
export interface ConstantLimits {
  integerMax: bigint;
  digitsMax: number;
  fractionDigitsMax: number;
}

/** What an engine cannot do, as the documents say. */
export interface EngineLimits {
  joinTypes: readonly JoinType[];
  /** A decimal as the engine compares it: SQLite has floats beyond 64 bits of a whole number. */
  compared(decimal: Decimal): Decimal;
  /** The numbers that a filter may compare with; 64 bits and 100 digits where nothing is said. */
  constants?: ConstantLimits;
}
