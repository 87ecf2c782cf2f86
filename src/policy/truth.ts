/** Kleene's three values: what cannot be decided, because an attribute is unknown, is neither yes nor no. */
export type Truth = 'no' | 'undecided' | 'yes';

/** `no` if one is, else `undecided` if one is, else `yes` (also of nothing). */
export function and(truths: readonly Truth[]): Truth {
  if (truths.includes('no')) return 'no';
  return truths.includes('undecided') ? 'undecided' : 'yes';
}

/** `yes` if one is, else `undecided` if one is, else `no` (also of nothing). */
export function or(truths: readonly Truth[]): Truth {
  if (truths.includes('yes')) return 'yes';
  return truths.includes('undecided') ? 'undecided' : 'no';
}

export function not(truth: Truth): Truth {
  if (truth === 'undecided') return 'undecided';
  return truth === 'yes' ? 'no' : 'yes';
}

export function truthOf(value: boolean): Truth {
  return value ? 'yes' : 'no';
}
