/** Told of everything a case reached, for the count of what the cases cover. */
export type Note = (...cell: readonly string[]) => void;
