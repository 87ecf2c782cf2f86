/** policy.md, "Evaluation", 1: "conditions are three-valued". */
export type Truth = 'yes' | 'undecided' | 'no';

export function allOf(truths: readonly Truth[]): Truth {
  if (truths.some((truth) => truth === 'no')) return 'no';
  if (truths.some((truth) => truth === 'undecided')) return 'undecided';
  return 'yes';
}

export function anyOf(truths: readonly Truth[]): Truth {
  if (truths.some((truth) => truth === 'yes')) return 'yes';
  if (truths.some((truth) => truth === 'undecided')) return 'undecided';
  return 'no';
}

export function opposite(truth: Truth): Truth {
  if (truth === 'yes') return 'no';
  return truth === 'no' ? 'yes' : 'undecided';
}

export function decided(holds: boolean): Truth {
  return holds ? 'yes' : 'no';
}
