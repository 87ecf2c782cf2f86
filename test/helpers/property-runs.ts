/**
 * The seed of generated cases: `VKIT_SEED`, else another at every start. Whoever uses it prints it, so that what one run
 * finds can be repeated.
 */
export function seedOfRun(byDefault: number = Date.now() % 2 ** 31): number {
  return numberOf('VKIT_SEED') ?? byDefault;
}

/** How many cases a property is to see: `VKIT_RUNS`, or what it needs to see everything that it is about. */
export function casesOfRun(byDefault: number): number {
  const wanted = numberOf('VKIT_RUNS') ?? byDefault;
  // None would pass whatever is wrong.
  if (wanted < 1) throw new Error('VKIT_RUNS is less than one.');
  return wanted;
}

function numberOf(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`${name} is no integer: ${text}`);
  return value;
}
